"""Windows of a table with a row for each moment that share no rows, to be compared with those for training."""

import math
from dataclasses import replace

import numpy as np
import pyarrow as pa

from pipeline.config import DriftConfig
from pipeline.config.data import ROLE_TYPES, TIME
from pipeline.data.profile.new_rows import NewRows, Unusable
from pipeline.data.schema import Column, Schema
from pipeline.data.sources.series_rows import FILE, IGNORE, SPLIT, Found, WindowsDataset
from pipeline.data.sources.series_stretches import stretches
from pipeline.data.sources.table import declared
from pipeline.data.sources.table_files import ROW, SKIP
from pipeline.data.types.series import SeriesColumn
from pipeline.data.windows import Numbers, in_order, starts_of
from pipeline.errors import DataError
from pipeline.serving.long_table import TO_PREDICT, at_pace, column_of, settings_of, windows_of
from pipeline.serving.row_files import read_any_rows

GOLDEN = (3 - math.sqrt(5)) / 2


def windows_apart(schema: Schema, config: DriftConfig) -> NewRows:
    """The windows, and how many values of each column of the table are missing or none of its type. A row with such a
    value is in no window. Raises DataError for rows that no series has, whatever their values, as `forecasts_of` does,
    but for gaps."""
    column = column_of(schema)
    settings = settings_of(schema, column, config)
    settings.on_bad_row = SKIP
    settings.on_gap = IGNORE if settings.on_gap == IGNORE else SPLIT
    columns = columns_of(settings, column)
    read = read_any_rows(replace(schema, features=columns), config)
    if not read.table.num_rows:
        raise DataError(f"{config.input}: no rows, expected one or more.")
    table = read.table.append_column(ROW, pa.array(read.numbers))
    table = table.append_column(FILE, pa.array(np.zeros(table.num_rows, np.int64)))
    moments = at_pace(ordered(settings, table, [name for name in (settings.time, settings.series) if name]), column)
    stretches(moments, settings.needed, TO_PREDICT)
    usable = ordered(settings, table, [one.name for one in columns])
    good = replace(usable, rows=replace(usable.rows, step=moments.rows.step))
    feature = schema.features[0]
    windows = [pa.table({feature.name: pa.array([], feature.storage)})]
    windows += [some for _, some in windows_of(schema, column, good, begins_of(good))]
    unusable = unusable_of(table, columns, read.refused, settings.window)
    return NewRows(pa.concat_tables(windows), {feature.name: unusable})


def begins_of(found: Found) -> Numbers:
    """The first rows of windows that share no rows, and that reach neither over a gap nor over a row that is not
    there."""
    rows, settings = found.rows, found.config
    gaps = rows.after_gaps() if settings.on_gap == SPLIT else np.zeros(0, np.int64)
    parts = rows.stretches(np.concatenate([gaps, rows.torn]))
    return starts_of(parts, settings.needed, spacing(settings.window, settings.stride))


def unusable_of(table: pa.Table, columns: list[Column], refused: dict[str, int], window: int) -> list[Unusable]:
    """The values of each column that cannot be used. Neighbours are often so for one reason, such as an outage, so
    those of a window count as one."""
    counts = [refused.get(column.name, 0) for column in columns]
    return [
        Unusable(table[column.name].null_count - count, count, table.num_rows, column.name, window)
        for column, count in zip(columns, counts, strict=True)
    ]


def columns_of(settings: WindowsDataset, column: SeriesColumn) -> list[Column]:
    """The channels, the time and the series, as far as the table has them."""
    types = dict.fromkeys(column.channels, "number")
    for name, kind in ((settings.time, ROLE_TYPES[TIME][0]), (settings.series, "category")):
        types |= {} if name is None else {name: kind}
    return [declared(settings, name, kind) for name, kind in types.items()]


def ordered(settings: WindowsDataset, table: pa.Table, needed: list[str]) -> Found:
    """The rows that have a value in each of these columns, by series and time."""
    there = np.ones(table.num_rows, bool)
    for name in needed:
        there &= table[name].is_valid().to_numpy()
    kept = table.filter(pa.array(there))
    return Found(settings, in_order(kept, settings.series, settings.time, (FILE, ROW)), [settings.name])


def spacing(window: int, stride: int) -> int:
    """How many rows after a window the next one begins that shares no row with it. It is a multiple of the stride.

    Windows one right after the other would all begin at the same hour if they are a day long, and training windows do
    not. With this distance, they begin at all places of such a cycle, neighbours far from each other (the golden ratio
    divides it most evenly).
    """
    steps = -(-window // stride)
    if steps == 1:
        return stride
    apart = math.ceil(steps * (1 + GOLDEN))
    while math.gcd(apart, steps) > 1:
        apart += 1
    return apart * stride
