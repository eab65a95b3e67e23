"""What is known of a dataset's rows once all of them were seen: what deals them out, and what is remarkable."""

import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.config import DatasetConfig, SplitConfig
from pipeline.config.data import FOLD, GROUP, TIME
from pipeline.config.data import WEIGHT as WEIGHT_ROLE
from pipeline.data import splits
from pipeline.data.batches import check_weights, in_pieces, read_batch
from pipeline.data.digest_file import DigestFile
from pipeline.data.digests import NULL, Digests, combined
from pipeline.data.prepared import chunk_rows
from pipeline.data.reading import Refused
from pipeline.data.schema import Column
from pipeline.data.sources.source import Columns
from pipeline.data.splits import Folds, Places
from pipeline.data.types.clock import since_1970
from pipeline.errors import DataError
from pipeline.tasks import TASKS

ROWS = "rows.arrow"
CHUNKS = 2  # of rows that pass through memory at a time; fewer would be more calls for the same rows
MOST_CATEGORIES = 1000


@dataclass
class Collected:
    """`rows` is an Arrow stream of all rows, and `digests` are those of the features of each row; those in `answered`
    are of the features and the target. Those in `alike` are equal for near copies of a row; it is empty where no type
    of a feature has any. `values` are the values of a target of classes, or the least and the greatest of
    a target that is a number. `groups` and `times` (N,) are there if a column has that role. `nulls` counts the missing
    values of each feature. `categories` are those of each feature of that type that has MOST_CATEGORIES at most. With
    `together`, near copies go to the same split."""

    rows: Path
    digests: DigestFile
    answered: DigestFile
    alike: DigestFile
    values: set[Any] = field(default_factory=set)
    groups: list[Digests] = field(default_factory=list)
    times: list[NDArray[Any]] = field(default_factory=list)
    folds: Folds = field(default_factory=Folds)
    nulls: Counter[str] = field(default_factory=Counter)
    categories: dict[str, set[str]] = field(default_factory=dict)
    together: bool = False

    def classes(self, dataset: DatasetConfig, target: Column) -> list[str]:
        """The names of the classes: those that the target's column names, or else all values, sorted. Empty for a
        number. Raises DataError for names that a person would take for the same, and for a target that the task cannot
        have."""
        found, task = sorted(self.values), TASKS[dataset.task]
        if not task.has_classes:
            if self.digests.num_rows > 1:
                _check_target(dataset, np.array(found), target, [])
            return []
        alike: dict[str, str] = {}
        for name in found:
            other = alike.setdefault(unicodedata.normalize("NFKC", name).strip().casefold(), name)
            if other != name:
                raise DataError(
                    f"dataset {dataset.name}: column '{target.name}' holds the classes {other!r} and {name!r}, which "
                    "differ by blanks, case or Unicode form alone. Write them the same way."
                )
        classes: list[str] = getattr(target.config, "values", []) or found
        codes = np.array([classes.index(name) for name in found], np.int32)
        _check_target(dataset, codes, target, classes)
        return classes

    def features(self, columns: Columns) -> list[Column]:
        """The features, with what is known of their values."""
        return [
            replace(
                column,
                nullable=self.nulls[column.name] > 0,
                categories=sorted(self.categories.get(column.name, ())),
            )
            for column in columns.features
        ]

    def num_conflicts(self, repeated: Digests) -> int:
        """How many rows have the same features as an earlier row, but another target. `repeated` are the digests that
        several rows have."""
        return self.answered.num_distinct() - self.digests.num_distinct() if len(repeated) else 0

    def places(self, dataset: DatasetConfig, config: SplitConfig) -> Places | None:
        """Each row's split (N,), None where every split has all rows."""
        if dataset.split == "none":
            return None
        if dataset.split == "given":
            given = self.folds.places(dataset.name, dataset.fold or "")
            return splits.with_validation(given, self.digests, config, dataset.name)
        if dataset.split == "time":
            groups = np.concatenate(self.groups) if self.groups else None
            return splits.by_time(np.concatenate(self.times), config, groups)
        return np.concatenate([splits.by_hash(part, config) for part in self.groups or self._of_copies().slices()])

    def _of_copies(self) -> DigestFile:
        """The digests by which rows are dealt out: rows with the same one go to the same split."""
        return self.alike if self.together else self.digests


def collect(dataset: DatasetConfig, columns: Columns, batches: Iterable[pa.RecordBatch], folder: Path) -> Collected:
    """Write all rows and their digests to files in `folder`, and take note of what has to be known of all of them.

    Raises DataError for values that a column's type does not take, whoever the source is, and for missing values where
    a column's role needs one.
    """
    schema = pa.schema([pa.field(column.name, column.storage) for column in columns.all])
    digests, answered, alike = (DigestFile(folder / name) for name in ("digests", "answered", "alike"))
    found = Collected(folder / ROWS, digests, answered, alike)
    found.together = any(column.type.keeps_together(column.config) for column in columns.features)
    found.categories = {column.name: set() for column in columns.features if column.config.type == "category"}
    refused, start = Refused(), 0
    with pa.OSFile(str(found.rows), "wb") as sink, pa.ipc.new_stream(sink, schema) as writer:
        for batch in in_pieces(batches, CHUNKS * chunk_rows(schema.types)):
            by_name = read_batch(columns, batch, start, refused)
            if WEIGHT_ROLE in columns.roles:
                check_weights(dataset.name, columns.roles[WEIGHT_ROLE].name, by_name)
            take_note(found, dataset, columns, by_name)
            writer.write_batch(pa.RecordBatch.from_arrays([by_name[name] for name in schema.names], schema=schema))
            start += batch.num_rows
    if refused.counts:
        raise refused.error(f"dataset {dataset.name}", columns.all)
    if start == 0:
        raise DataError(f"dataset {dataset.name}: found 0 rows, expected at least one.")
    return found


def take_note(found: Collected, dataset: DatasetConfig, columns: Columns, by_name: dict[str, pa.Array]) -> None:
    """Add to `found` what has to be known of these rows."""
    for column in columns.features:
        found.nulls[column.name] += by_name[column.name].null_count
    for name in list(found.categories):
        found.categories[name] |= set(pc.unique(by_name[name]).to_pylist()) - {None}
        if len(found.categories[name]) > MOST_CATEGORIES:
            del found.categories[name]
    target = by_name[columns.target.name]
    if TASKS[dataset.task].has_classes:
        found.values |= set(pc.unique(target).to_pylist()) - {None}
    elif target.null_count < len(target):
        least, greatest = pc.min_max(target).values()
        known = [*found.values, least.as_py(), greatest.as_py()]
        found.values = {min(known), max(known)}
    digests = combined([digests_of(column, by_name[column.name]) for column in columns.features])
    found.digests.append(digests)
    alike = [column.type.alike(by_name[column.name], column.config) for column in columns.features]
    if any(part is not None for part in alike):
        parts = zip(columns.features, alike, strict=True)
        found.alike.append(combined([digests_of(c, by_name[c.name], part) for c, part in parts]))
    found.answered.append(combined([digests, digests_of(columns.target, target)]))
    for role, column in columns.roles.items():
        values = by_name[column.name]
        if role == GROUP:
            found.groups.append(column.type.digest(values))
        elif role == TIME:
            found.times.append(since_1970(values).to_numpy(zero_copy_only=False))
        elif role == FOLD:
            found.folds.append(values)


def _check_target(dataset: DatasetConfig, values: NDArray[Any], target: Column, classes: list[str]) -> None:
    """Raise DataError for a target that the task cannot have. A task looks at which classes there are, or at the least
    and the greatest number."""
    if wrong := TASKS[dataset.task].check_target(values, target.name, classes):
        raise DataError(f"dataset {dataset.name}: {wrong}")


def digests_of(column: Column, values: pa.Array, found: Digests | None = None) -> Digests:
    """A digest (N,) of each value of a column, or the one that was `found`; missing values have one of their own."""
    found = column.type.digest(values) if found is None else found
    return np.where(values.is_null().to_numpy(zero_copy_only=False), NULL, found) if values.null_count else found
