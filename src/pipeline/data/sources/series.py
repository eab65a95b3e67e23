"""Series in the files of a table, which has a row for each moment and a column for each channel. A row of the dataset
is a window: so many rows of one series, one after another."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from pipeline.config import DatasetConfig
from pipeline.config.checks import check, one_of
from pipeline.config.data import FOLD, GROUP, ROLE_TYPES, TIME, WEIGHT
from pipeline.data.schema import Column
from pipeline.data.sources.series_rows import ON_GAP, Found, WindowsDataset, read_series
from pipeline.data.sources.series_stretches import stretches
from pipeline.data.sources.source import FOLD_OF_FILES, PATHS, START, Columns, Source, of_split
from pipeline.data.sources.table import declared
from pipeline.data.sources.table_files import files, remote
from pipeline.data.types.category import CategoryColumn
from pipeline.data.types.number import NumberColumn
from pipeline.data.types.series import SeriesColumn, as_stored
from pipeline.data.windows import cut, starts_of
from pipeline.tasks import TASKS

FEATURE = "series"  # the name of the feature, which is a window, and of its type
# columns that are no one's: when a window begins and when its target is, and its series
BEGIN, END, OF_SERIES = ":begin", ":end", ":series"

MUCH = 10**9  # bytes of windows, of which it is said that they take so much


@dataclass
class SeriesDataset(WindowsDataset):
    """The files are those of a table, with all its settings that say how to read them. `columns` are the channels, all
    of them numbers.

    A row of the dataset has a `window` of so many rows of one series, and as its target the value of the column
    `target` so many rows (`horizon`) after the window's last one. The target of a regression may be a channel, too. The
    next window begins `stride` rows later.

    Rows are sorted by `time`, if it is given. Else they stay in their order, and no window reaches from one file into
    another or over a row that was left out. `series` is the column that says to which series a row belongs. `on_gap`
    says what to do where two rows of a series are not as far apart as most are: `refuse` them, `split` the series
    there, or `ignore` it. With `on_bad_row: skip`, series without a whole window are left out.

    With `split: hash`, all windows of a series go to the same split.
    """

    @property
    def orders_rows(self) -> bool:
        return True

    @property
    def channels(self) -> list[str]:
        """The columns that a model sees, in their order."""
        others = {self.time, self.series} | ({self.target} if TASKS[self.task].has_classes else set())
        return [name for name in self.columns if name not in others]

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
        check(self.target != FEATURE, "dataset.target", self.target, "another name, which is that of the windows")
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
        known = self.split != "time" or self.series is None or self.time is not None
        check(known, "dataset.time", self.time, "the column that says when a row is, to split several series by time")
        given = self.split != "given" or self.validation_path is not None
        expected = "files for validation, since windows of the training files overlap"
        check(given, "dataset.validation_path", self.validation_path, expected)


def types(config: SeriesDataset) -> list[str]:
    return [FEATURE]


def columns(config: SeriesDataset, root: Path) -> Columns:
    """A window, its target, when both of them begin and end, and what the split goes by."""
    channels = config.channels
    cut_by = config.cut_settings(channels)
    feature = Column(FEATURE, SeriesColumn(FEATURE, window=config.window, channels=channels, cut=cut_by))
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
    for key, found in read_series(config, root, config.channels, _target(config)):
        for batch in _windows(config, found):
            yield of_split(batch, PATHS[key]) if config.has_test_files else batch


def _target(config: SeriesDataset) -> Column:
    return declared(config, config.target, "category" if TASKS[config.task].has_classes else "number")


def _tell_size(config: SeriesDataset, count: int) -> None:
    """Print how much so many windows take on disk, where it is MUCH."""
    if (size := 8 * count * config.window * len(config.channels)) > MUCH:
        print(
            f"{config.name}: {count:,} windows take {size / 1e9:.1f} GB on disk, and twice as much while they are "
            "prepared; a larger stride makes fewer"
        )


def _windows(config: SeriesDataset, found: Found) -> Iterator[pa.RecordBatch]:
    rows = found.rows
    begins = starts_of(stretches(found, config.needed), config.needed, config.stride)
    if (np.diff(begins) < config.needed).any():
        print(f"{config.name}: windows share rows, so test scores are resampled by blocks or series (docs/series.md)")
    _tell_size(config, len(begins))
    values_NC = np.stack([rows.table[name].to_numpy() for name in config.channels], axis=1)
    time = rows.time if rows.time is not None else pa.array(np.arange(len(rows.code), dtype=np.float64))
    target, names = rows.table[config.target].combine_chunks(), pa.array(rows.names, pa.string())
    for some, windows_NWC in cut(values_NC, begins, config.window):
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


SOURCE = Source(SeriesDataset, types, columns, batches, files, remote)
