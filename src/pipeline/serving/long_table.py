"""Rows to predict in a table with a row for each moment, for a model of windows of series.

The windows are cut as `prepare` cuts them for training, with the settings that the model's schema holds, but need no
rows after them: what a forecast is for lies in the future.
"""

from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from pipeline.config import DriftConfig, PredictConfig, TextConfig
from pipeline.config.checks import one_of
from pipeline.data.formats import FORMATS
from pipeline.data.formats.finding import AUTO
from pipeline.data.formats.rows import layout_of
from pipeline.data.prepared import ROW as PREPARED_ROW
from pipeline.data.prepared import TARGET, WEIGHT
from pipeline.data.reading import MOST_PLACES
from pipeline.data.schema import Schema
from pipeline.data.sources.series_rows import IGNORE, Found, WindowsDataset, read_series
from pipeline.data.sources.series_stretches import Advice, stretches
from pipeline.data.sources.table_files import ACCEPT, ROW, SKIP
from pipeline.data.types.clock import since_1970
from pipeline.data.types.series import STEP, TOLERANCE, SeriesColumn, as_stored
from pipeline.data.windows import Array, Numbers, cut, starts_of
from pipeline.errors import DataError
from pipeline.serving.row_files import INPUT_FORMATS, input_file

SERIES, WINDOW_ENDS, TIME = "series", "window_ends", "time"  # the columns that say of when a forecast is
TO_PREDICT = Advice(
    "Fill the gap, or prepare and train with another on_gap.", "Add earlier rows", ", or leave these series out."
)


def takes_long_table(schema: Schema, config: PredictConfig | DriftConfig) -> bool:
    """Whether the rows of the input are moments, from which windows are to be cut: not where it has a column of windows
    and lacks a channel. Raises DataError where there is no such file."""
    column = schema.features[0]
    if not isinstance(column.config, SeriesColumn) or not column.config.cut:
        return False
    file, format = input_file(config)
    names = INPUT_FORMATS[format].names(file, layout_of(config, format, []))
    if names is None or column.name not in names:
        return True
    # A prepared file has the column of windows, and `target`, which may well be a channel's name.
    prepared = PREPARED_ROW in names and set(names) <= {PREPARED_ROW, TARGET, WEIGHT, column.name}
    return not prepared and set(column.config.channels) <= set(names)


def forecasts_of(schema: Schema, config: PredictConfig) -> Iterator[tuple[pa.Table, pa.Table]]:
    """The windows of which a model is asked, some at a time, by series and time: those that `prepare` would cut, also
    where the rows of the horizon are not there, and the newest of each series. Beside them stand the series, when the
    window ends (without `time`, the number of its last row), and the time that the prediction is of.

    Raises DataError for what `prepare` would refuse, before the first window is given.
    """
    column = column_of(schema)
    settings = settings_of(schema, column, config)
    ((_, read),) = read_series(settings, Path(), column.channels)
    found = at_pace(read, column)
    parts = stretches(found, settings.needed, TO_PREDICT)
    last = newest(found, parts, settings.window)
    tell_old(found, parts, last)
    begins = np.union1d(starts_of(parts, settings.needed, settings.stride), last)
    return ((moments(column, found, some), windows) for some, windows in windows_of(schema, column, found, begins))


def column_of(schema: Schema) -> SeriesColumn:
    """The column of windows, which is the only feature."""
    (column,) = schema.features
    assert isinstance(column.config, SeriesColumn)
    return column.config


def settings_of(schema: Schema, column: SeriesColumn, config: PredictConfig | DriftConfig) -> WindowsDataset:
    """The settings with which windows are cut from the input. They need no horizon. Raises ConfigError for a format
    that has no table."""
    one_of("format", config.format, (AUTO, *FORMATS))
    skipping = {"on_bad_row": SKIP} if config.on_bad_row == SKIP else {}
    written = {entry.name: getattr(config, entry.name) for entry in fields(TextConfig)}
    return WindowsDataset(
        name=config.input,
        task=schema.task,
        path=config.input,
        format=config.format,
        constant=ACCEPT,
        window=column.window,
        **written,
        **({name: value for name, value in column.cut.items() if name != STEP} | {"horizon": 0} | skipping),
    )


def at_pace(found: Found, column: SeriesColumn) -> Found:
    """The rows, whose step is that of the training, even if they are too few to tell it. Raises DataError where they
    are at another pace: to a model, a day would be an hour. Nobody knows the pace without `time`, and none is expected
    with `on_gap: ignore`."""
    step, rows = column.cut.get(STEP), found.rows  # a model from before there was a step has none
    if step is None or found.config.on_gap == IGNORE:
        return found
    if rows.step and abs(rows.step - step) > TOLERANCE * step:
        raise DataError(
            f"{found.where}: its rows are {rows.span(rows.step)} apart, expected {rows.span(step)}, as those for "
            "training are. Bring them to that step, or train a model with rows like these."
        )
    return replace(found, rows=replace(rows, step=step))


def newest(found: Found, parts: list[tuple[int, int]], window: int) -> Numbers:
    """The first row of the newest window of each series, unless a gap is so near its end that none fits behind it."""
    ends = {*(np.flatnonzero(np.append(~found.rows.follows, True)) + 1).tolist()}
    return np.array([stop - window for start, stop in parts if stop in ends and stop - start >= window], np.int64)


def tell_old(found: Found, parts: list[tuple[int, int]], last: Numbers) -> None:
    """Print which series have windows, but not the newest one, so that their last forecast is of an earlier time."""
    codes = found.rows.code
    known = {int(codes[start]) for start, stop in parts if stop - start >= found.config.window}
    if old := [found.rows.names[code] for code in sorted(known - set(codes[last].tolist()))]:
        of = f" of series {', '.join(old[:MOST_PLACES])}{', ...' if len(old) > MOST_PLACES else ''}" if old[0] else ""
        print(f"{found.config.name}: the newest rows{of} are in no window, since a gap is too near their end")


def windows_of(
    schema: Schema, column: SeriesColumn, found: Found, begins: Numbers
) -> Iterator[tuple[Numbers, pa.Table]]:
    """The windows that begin at these rows, some at a time, and the rows."""
    values_NC: Array = np.stack([found.rows.table[name].to_numpy() for name in column.channels], axis=1)
    for some, windows_BWC in cut(values_NC, begins, column.window):
        yield some, pa.table({schema.features[0].name: as_stored(windows_BWC)})


def moments(column: SeriesColumn, found: Found, begins: Numbers) -> pa.Table:
    """What each forecast is of, as `forecasts_of` says."""
    rows = found.rows
    told: dict[str, pa.Array] = {}
    ends = begins + column.window - 1
    if found.config.series is not None:
        told[SERIES] = pa.array(rows.names, pa.string()).take(pa.array(rows.code[ends]))
    if rows.time is None:
        numbers = rows.table[ROW].to_numpy()[ends]
        return pa.table(told | {WINDOW_ENDS: pa.array(numbers.astype(np.int64))})
    told[WINDOW_ENDS] = rows.time.take(pa.array(ends))
    told[TIME] = times_after(found, ends, int(column.cut["horizon"]))
    return pa.table(told)


def times_after(found: Found, ends: Numbers, horizon: int) -> pa.Array:
    """The times of what is `horizon` rows later than these (N,). Where rows are not equally far apart, which is so with
    `on_gap: ignore`, only the table itself tells them, so there is none for what is not in it."""
    rows = found.rows
    assert rows.time is not None
    if found.config.on_gap != IGNORE and (rows.step or not horizon):
        numbers = since_1970(rows.time).to_numpy(zero_copy_only=False)[ends]
        later = numbers + np.asarray(rows.step * horizon).astype(numbers.dtype)
        return pa.array(later).cast(rows.time.type)
    places = ends + horizon
    known = places < len(rows.code)
    known[known] = rows.code[places[known]] == rows.code[ends[known]]
    return rows.time.take(pa.array(places, mask=~known))
