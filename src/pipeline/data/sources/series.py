"""Series in the files of a table, which has a row for each moment and a column for each channel. A row of the dataset
is a window: so many rows of one series, one after another."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from omegaconf import MISSING

from pipeline.config import DatasetConfig
from pipeline.config.checks import check, one_of
from pipeline.config.data import FOLD, GROUP, ROLE_TYPES, TIME, WEIGHT
from pipeline.data.reading import MOST_PLACES
from pipeline.data.schema import Column
from pipeline.data.sources.source import FOLD_OF_FILES, START, Columns, Source
from pipeline.data.sources.table import (
    PATHS,
    REFUSE,
    ROW,
    SKIP,
    TableDataset,
    declared,
    files,
    of_split,
    read_tables,
    remote,
)
from pipeline.data.types.category import CategoryColumn
from pipeline.data.types.number import NumberColumn
from pipeline.data.types.series import SeriesColumn, as_stored
from pipeline.data.windows import Numbers, SeriesRows, cut, in_order, starts_of
from pipeline.errors import DataError
from pipeline.tasks import TASKS

SPLIT, IGNORE = "split", "ignore"
ON_GAP = (REFUSE, SPLIT, IGNORE)
FEATURE = "series"  # the name of the feature, which is a window, and of its type
# columns that are no one's: the file of a row, when a window begins and when its target is, and its series
FILE, BEGIN, END, OF_SERIES = ":file", ":begin", ":end", ":series"


@dataclass
class SeriesDataset(TableDataset):
    """The files are those of a table, with all its settings that say how to read them. `columns` are the channels, all
    of them numbers.

    A row of the dataset has a `window` of so many rows of one series, and as its target the value of the column
    `target` so many rows (`horizon`) after the window's last one. The target of a regression may be a channel, too. The
    next window begins `stride` rows later.

    Rows are sorted by `time`, if it is given, and else stay in their order. `series` is the column that says to which
    series a row belongs. `on_gap` says what to do where two rows of a series are not as far apart as most are: `refuse`
    them, `split` the series there, or `ignore` it. With `on_bad_row: skip`, series without a whole window are left out.

    With `split: hash`, all windows of a series go to the same split.
    """

    series: str | None = None
    window: int = MISSING
    horizon: int = 1
    stride: int = 1
    on_gap: str = REFUSE

    @property
    def orders_rows(self) -> bool:
        return True

    @property
    def channels(self) -> list[str]:
        """The columns that a model sees, in their order."""
        others = {self.time, self.series} | ({self.target} if TASKS[self.task].has_classes else set())
        return [name for name in self.columns if name not in others]

    @property
    def needed(self) -> int:
        """How many rows a window and its target take."""
        return self.window + self.horizon

    def check(self) -> None:
        alone = self.split != "given" or self.has_test_files
        check(alone, "dataset.test_path", self.test_path, "the files of the test rows with split: given")
        DatasetConfig.check(self)
        self.check_files()
        one_of("dataset.on_gap", self.on_gap, ON_GAP)
        for name, least in (("window", 1), ("horizon", 0), ("stride", 1)):
            check(getattr(self, name) >= least, f"dataset.{name}", getattr(self, name), f"{least} or more")
        for role in (WEIGHT, GROUP):
            check(getattr(self, role) is None, f"dataset.{role}", getattr(self, role), "nothing for series")
        names = [name for name in (self.time, self.series, self.target) if name is not None]
        check(len(set(names)) == len(names), "dataset", names, "another column for each of time, series and target")
        self._check_columns()
        self._check_overlap()

    def _check_columns(self) -> None:
        check(bool(self.channels), "dataset.columns", list(self.columns), "one channel or more")
        wanted: dict[str, tuple[str, ...]] = dict.fromkeys(self.channels, ("number",))
        wanted[self.target] = ("category",) if TASKS[self.task].has_classes else ("number",)
        wanted |= {self.series: ("category",)} if self.series is not None else {}
        wanted |= {self.time: ROLE_TYPES[TIME]} if self.time is not None else {}
        for name, types in wanted.items():
            config = declared(self, name, types[0]).config
            check(config.type in types, f"dataset.columns.{name}", config.type, " or ".join(types))
            if isinstance(config, NumberColumn):
                plain = (config.scale, config.clip) == (NumberColumn.scale, NumberColumn.clip)
                check(plain, f"dataset.columns.{name}", config.scale, "no scale or clip: channels are standardised")

    def _check_overlap(self) -> None:
        """Windows of one series overlap, so they must not be dealt out one by one."""
        known = self.horizon == 0 and self.target in self.channels
        check(not known, "dataset.horizon", self.horizon, f"1 or more, as '{self.target}' is a channel, too")
        apart = self.split != "hash" or self.series is not None
        check(apart, "dataset.split", self.split, "time, since windows of one series overlap; or name the series")
        given = self.split != "given" or self.validation_path is not None
        expected = "files for validation, since windows of the training files overlap"
        check(given, "dataset.validation_path", self.validation_path, expected)


def types(config: SeriesDataset) -> list[str]:
    return [FEATURE]


def columns(config: SeriesDataset, root: Path) -> Columns:
    """A window, its target, when both of them begin and end, and what the split goes by."""
    feature = Column(FEATURE, SeriesColumn(FEATURE, window=config.window, channels=config.channels))
    time = declared(config, config.time, ROLE_TYPES[TIME][0]).config if config.time else NumberColumn("number")
    roles = {TIME: Column(END, time), START: Column(BEGIN, time)}
    if config.split == "hash":
        roles[GROUP] = Column(OF_SERIES, CategoryColumn("category"))
    if config.has_test_files:
        roles[FOLD] = Column(FOLD_OF_FILES, CategoryColumn("category"))
    return Columns([feature], _target(config), roles)


def batches(config: SeriesDataset, root: Path) -> Iterator[pa.RecordBatch]:
    """The windows of all files, some at a time; the files' rows are in memory. Prints what was left out.

    Raises DataError for files that are not what the configuration says, and for series without windows.
    """
    channels = [declared(config, name, "number") for name in config.channels]
    named = {column.name: column for column in [*channels, _target(config)]}
    required = dict.fromkeys(config.channels, "channel") | {config.target: "target"}
    for role, name, kind in (("time", config.time, ROLE_TYPES[TIME][0]), ("series", config.series, "category")):
        if name is not None:
            named[name], required[name] = declared(config, name, kind), role
    parts: dict[str, list[pa.Table]] = {}
    names: list[str] = []
    for key, file, batch in read_tables(config, root, list(named.values()), required, channels, numbered=True):
        names += [] if file in names else [file]
        number = pa.repeat(pa.scalar(names.index(file), pa.int32()), batch.num_rows)
        parts.setdefault(key, []).append(pa.Table.from_batches([batch.append_column(FILE, number)]))
    for key in list(parts):
        rows = in_order(pa.concat_tables(parts.pop(key)), config.series, config.time)
        for batch in _windows(config, Found(config, rows, names)):
            yield of_split(batch, PATHS[key]) if config.has_test_files else batch


def _target(config: SeriesDataset) -> Column:
    return declared(config, config.target, "category" if TASKS[config.task].has_classes else "number")


@dataclass(frozen=True)
class Found:
    """The rows of series, and the names of the files that they come from, for messages."""

    config: SeriesDataset
    rows: SeriesRows
    files: list[str]

    @property
    def where(self) -> str:
        return self.files[0] if len(self.files) == 1 else f"dataset {self.config.name}"

    def place(self, row: int) -> str:
        """Where a row stands, as a person counts, and in which series."""
        number, file = int(self.rows.table[ROW][row].as_py()), self.files[self.rows.table[FILE][row].as_py()]
        of_file = f" of {file}" if len(self.files) > 1 else ""
        return f"row {number}{of_file}" + (f", series {self.name(row)!r}" if self.config.series else "")

    def name(self, row: int) -> str:
        """The name of a row's series."""
        return str(self.rows.names[int(self.rows.code[row])])

    def places(self, rows: Numbers, words: list[str]) -> str:
        """The first of these rows, with words on each."""
        places = [f"{self.place(int(row))}: {word}" for row, word in zip(rows[:MOST_PLACES], words, strict=False)]
        return "; ".join(places) + ("; ..." if len(rows) > MOST_PLACES else "")


def _windows(config: SeriesDataset, found: Found) -> Iterator[pa.RecordBatch]:
    rows = found.rows
    if rows.num_late:
        count = "1 row was" if rows.num_late == 1 else f"{rows.num_late} rows were"
        print(f"{config.name}: {count} earlier than the row before; all are sorted by '{config.time}' now")
    starts = _starts(config, found)
    values_NC = np.stack([rows.table[name].to_numpy() for name in config.channels], axis=1)
    time = rows.time if rows.time is not None else pa.array(np.arange(len(rows.code), dtype=np.float64))
    target, names = rows.table[config.target].combine_chunks(), pa.array(rows.names, pa.string())
    for some, windows_NWC in cut(values_NC, starts, config.window):
        ends = pa.array(some + config.needed - 1)
        made = {
            FEATURE: as_stored(windows_NWC),
            config.target: target.take(ends),
            END: time.take(ends),
            BEGIN: time.take(pa.array(some)),
        }
        if config.split == "hash":
            made[OF_SERIES] = names.take(pa.array(rows.code[some]))
        yield pa.RecordBatch.from_pydict(made)


def _starts(config: SeriesDataset, found: Found) -> Numbers:
    """The first rows of all windows. Raises DataError for rows of one instant, gaps, and series without a window."""
    rows = found.rows
    if len(twice := rows.doubled()):
        places = found.places(twice, [rows.instant(row) for row in twice[:MOST_PLACES].tolist()])
        raise DataError(
            f"{found.where}: {_count(len(twice))} of an instant that its series has already ({places}), expected "
            f"each '{config.time}' once in a series. Remove such rows, or name the column of the series."
        )
    gaps = rows.after_gaps() if config.on_gap != IGNORE else np.zeros(0, np.int64)
    if len(gaps) and config.on_gap == REFUSE:
        distances = rows.distances()
        places = found.places(gaps, [f"{rows.span(float(distances[row - 1]))} later" for row in gaps.tolist()])
        raise DataError(
            f"{found.where}: {_count(len(gaps))} not one step, {rows.span(rows.step)}, later than the row before "
            f"({places}). Set on_gap: split so that no window holds a gap, or ignore if the distance says nothing."
        )
    stretches = rows.stretches(gaps)
    _check_lengths(config, found, stretches)
    return starts_of(stretches, config.needed, config.stride)


def _check_lengths(config: SeriesDataset, found: Found, stretches: list[tuple[int, int]]) -> None:
    """Raise DataError for a series of which no stretch is as long as a window and its horizon, unless such series are
    to be left out. Prints what is in no window."""
    longest: dict[int, int] = {}
    first: dict[int, int] = {}
    for start, stop in stretches:
        code = int(found.rows.code[start])
        longest[code] = max(longest.get(code, 0), stop - start)
        first.setdefault(code, start)
    short = [code for code, length in longest.items() if length < config.needed]
    if short and (config.on_bad_row != SKIP or len(short) == len(longest)):
        words = [f"{longest[code]} rows" for code in short]
        places = found.places(np.array([first[code] for code in short]), words)
        several = "1 series is" if len(short) == 1 else f"{len(short)} series are"
        raise DataError(
            f"{found.where}: {several} too short ({places}), expected {config.needed} rows or more without a gap: "
            f"window {config.window} and horizon {config.horizon}. Set a smaller window"
            + (", or on_bad_row: skip." if len(short) < len(longest) else ".")
        )
    lost = sum(stop - start for start, stop in stretches if stop - start < config.needed)
    if lost:
        print(f"{config.name}: {lost} rows are in no window, since their stretch of the series is too short")


def _count(rows: int) -> str:
    return "1 row is" if rows == 1 else f"{rows} rows are"


SOURCE = Source(SeriesDataset, types, columns, batches, files, remote)
