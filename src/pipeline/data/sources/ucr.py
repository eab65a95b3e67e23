"""Whole series to be told apart, in the form of the UCR archive (Dau et al. 2019): in each row of a file without a
header stand the label of a series and then its values, by tabs or commas. All series are of one length."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from pipeline.config import DatasetConfig
from pipeline.config.checks import check
from pipeline.config.data import FOLD, ROLES
from pipeline.data.formats import FORMATS
from pipeline.data.formats.finding import AUTO, find_split_files, format_of
from pipeline.data.formats.rows import layout_of
from pipeline.data.heard import tell_left_out
from pipeline.data.reading import MOST_PLACES
from pipeline.data.refused_file import and_more, tell_refused
from pipeline.data.schema import Column
from pipeline.data.sources.source import FOLD_OF_FILES, PATHS, Columns, Source, of_split, target_column
from pipeline.data.sources.table import TableDataset
from pipeline.data.sources.table_files import REFUSE, ROW, SKIP, files, read_tables, remote
from pipeline.data.types.category import CategoryColumn
from pipeline.data.types.number import NumberColumn
from pipeline.data.types.series import Array, SeriesColumn, as_stored
from pipeline.errors import DataError

FEATURE, VALUE, FIRST = "series", "value", "column_1"
ABSENT = ["NaN", "nan", "NA", "?", ""]  # the archive fills up short series with NaN


@dataclass
class UcrDataset(TableDataset):
    """The files are named as those of a table. With `split: given`, `test_path` names the official test files. `target`
    is what the label is called. With `on_bad_row: skip`, series with missing values are left out."""

    target: str = "label"
    header: bool = False

    def check(self) -> None:
        DatasetConfig.check(self)
        self.check_files()
        check(not self.header, "dataset.header", self.header, "false: the form has none")
        check(not self.columns, "dataset.columns", list(self.columns), "nothing: a row is a label and its series")
        check(self.target != FEATURE, "dataset.target", self.target, "another name, which is that of the series")
        for role in ROLES:
            check(getattr(self, role) is None, f"dataset.{role}", getattr(self, role), "nothing: there is no column")


def columns(config: UcrDataset, root: Path) -> Columns:
    """A series and its label. How long series are is seen in the first row. Raises DataError for files that differ."""
    folds = {FOLD: Column(FOLD_OF_FILES, CategoryColumn("category"))} if config.has_test_files else {}
    series = SeriesColumn(FEATURE, window=_length(config, root), channels=[VALUE])
    return Columns([Column(FEATURE, series)], target_column(config, config.target), folds)


def batches(config: UcrDataset, root: Path) -> Iterator[pa.RecordBatch]:
    """The series of all files, some at a time. Raises DataError for files and rows that are not of the form."""
    number = NumberColumn("number", missing=[*ABSENT, *config.missing])
    values = [Column(f"column_{i + 2}", number) for i in range(_length(config, root))]
    label = replace(target_column(config, FIRST), name=FIRST)
    places: list[str] = []
    num_bad = 0
    for key, file, batch in read_tables(config, root, [label, *values], {FIRST: "label"}, [], numbered=True):
        series_NW = np.stack([batch[column.name].to_numpy(zero_copy_only=False) for column in values], axis=1)
        bad = np.isnan(series_NW).any(axis=1)
        for i in np.flatnonzero(bad)[: MOST_PLACES - len(places)]:
            places.append(f"row {int(batch[ROW][int(i)].as_py())} of {file}: {_lacks(series_NW[i])}")
        num_bad += int(bad.sum())
        if config.on_bad_row == REFUSE:
            expected = f"{len(values)} values"
            tell_refused((int(batch[ROW][int(i)].as_py()), file, "", "", expected) for i in np.flatnonzero(bad))
        if (~bad).any() and (not num_bad or config.on_bad_row == SKIP):
            good = pa.array(~bad)
            made = {FEATURE: as_stored(series_NW[~bad, :, np.newaxis]), config.target: batch[FIRST].filter(good)}
            found = pa.RecordBatch.from_pydict(made)
            yield of_split(found, PATHS[key]) if config.has_test_files else found
    if num_bad and config.on_bad_row == SKIP:
        tell_left_out(config.name, f"skipped {num_bad} series with missing values")
    elif num_bad:
        several = "1 series lacks values" if num_bad == 1 else f"{num_bad} series lack values"
        more = and_more(num_bad, len(places))
        raise DataError(
            f"dataset {config.name}: {several} ({'; '.join(places)}{more}), expected {len(values)} in each row. Fill "
            "them up, or set on_bad_row: skip to leave them out."
        )


def _lacks(series_W: Array) -> str:
    """What a series lacks, in words."""
    missing = np.isnan(series_W)
    last = len(series_W) - int(np.argmin(missing[::-1])) if not missing.all() else 0
    if missing[:last].any():
        return f"value {int(np.argmax(missing)) + 1} is missing"
    return f"{last} values and then none"


def _length(config: UcrDataset, root: Path) -> int:
    """How many values the first row of each file has. Raises DataError where they differ."""
    found = [file for of_key in find_split_files(config.paths, root).values() for file in of_key]
    name = format_of(found) if config.format == AUTO else config.format
    lengths = {}
    for file in found:
        names = FORMATS[name].names(file, layout_of(config, name, []))
        lengths[file.name] = len(names or []) - 1
    first = next(iter(lengths))
    for other, length in lengths.items():
        if length < 1:
            raise DataError(f"{other}: found {length + 1} columns, expected a label and a series. Set separator.")
        if length != lengths[first]:
            raise DataError(f"{other}: its series have {length} values, expected {lengths[first]}, as in {first}.")
    return lengths[first]


SOURCE = Source(UcrDataset, lambda config: ["series"], columns, batches, files, remote)
