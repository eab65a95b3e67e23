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
from pipeline.config.data import FOLD, GROUP, TIME, TOGETHER
from pipeline.config.data import WEIGHT as WEIGHT_ROLE
from pipeline.data import splits
from pipeline.data.batches import check_weights, digests_of, in_pieces, read_batch
from pipeline.data.contract import Contract
from pipeline.data.digest_file import DigestFile
from pipeline.data.digests import Digests, combined
from pipeline.data.lost_texts import loses_texts
from pipeline.data.near import NearRows, looked_for
from pipeline.data.origins import FIELDS, origin_of
from pipeline.data.prepared import chunk_rows
from pipeline.data.reading import Refused
from pipeline.data.schema import Column
from pipeline.data.sources.source import START, Columns
from pipeline.data.splits import Folds, Places
from pipeline.data.types.clock import since_1970
from pipeline.errors import DataError
from pipeline.tasks import TASKS
from pipeline.tasks.task import Target

ROWS = "rows.arrow"
CHUNKS = 2  # of rows that pass through memory at a time; fewer would be more calls for the same rows
MOST_CATEGORIES = 1000


@dataclass
class Collected:
    """`rows` is an Arrow stream of all rows, and of where they are from if there is a contract. `digests` are those of
    the features of each row; those in `answered` are of the features and the target. `values` are the values of a
    target of classes, or the least and the greatest of a target that is a number. `groups`, `times` and `starts` (N,)
    are there if a column has that role. `nulls` counts the missing values of each feature, and `bytes` those of its
    texts or contents. `categories` are those of each feature of that type that has MOST_CATEGORIES at most, and `lossy`
    are those features of which a data frame may change a text. `remarks` counts the remarkable values of each feature,
    by what there is to say of them. `near` is there if rows that are nearly the same are looked for."""

    rows: Path
    digests: DigestFile
    answered: DigestFile
    values: set[Any] = field(default_factory=set)
    groups: list[Digests] = field(default_factory=list)
    times: list[NDArray[Any]] = field(default_factory=list)
    starts: list[NDArray[Any]] = field(default_factory=list)
    folds: Folds = field(default_factory=Folds)
    nulls: Counter[str] = field(default_factory=Counter)
    bytes: Counter[str] = field(default_factory=Counter)
    categories: dict[str, set[str]] = field(default_factory=dict)
    lossy: set[str] = field(default_factory=set)
    remarks: Counter[tuple[str, str]] = field(default_factory=Counter)
    near: NearRows | None = None

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
        durations = np.concatenate(self.times) - np.concatenate(self.starts) if self.starts else None
        return [
            replace(
                column,
                config=column.config if durations is None else column.type.timed(column.config, durations),
                nullable=self.nulls[column.name] > 0,
                categories=sorted(self.categories.get(column.name, ())),
                loses_texts=column.name in self.lossy,
                mean_bytes=self.bytes[column.name] // max(1, self.digests.num_rows),
            )
            for column in columns.features
        ]

    def num_duplicates(self, repeated: Digests) -> int:
        """How many rows have the same features as an earlier row. `repeated` are the digests that several rows have."""
        return self.digests.num_rows - self.digests.num_distinct() if len(repeated) else 0

    def share_alone(self, repeated: Digests) -> float:
        """The share of the rows that are left where equal rows count once. `repeated` are the digests that several rows
        have."""
        return self.answered.num_distinct() / max(1, self.digests.num_rows) if len(repeated) else 1.0

    def num_conflicts(self, repeated: Digests) -> int:
        """How many rows contradict others: their target is not the most frequent one of the rows with the same
        features. `repeated` are the digests that several rows have."""
        return self.digests.num_outvoted(self.answered) if len(repeated) else 0

    def tell_remarks(self, dataset: str) -> None:
        """Print what types have to say of the values of their columns."""
        for (name, remark), count in self.remarks.items():
            if count:
                print(f"{dataset}: {count} of {self.digests.num_rows} values of '{name}' {remark}")

    def places(self, dataset: DatasetConfig, config: SplitConfig) -> Places | None:
        """Each row's split (N,), None where every split has all rows."""
        if dataset.split == "none":
            return None
        if dataset.split == "given":
            given = self.folds.places(dataset.name, dataset.fold or "")
            return splits.with_validation(given, self.digests, config, dataset.name)
        if dataset.split == "time" and self.starts:
            places = splits.by_stretch(np.concatenate(self.starts), np.concatenate(self.times), config)
            between = int((places == splits.NOWHERE).sum())
            print(f"{dataset.name}: {between} rows are in no split, since they would reach from one into another")
            return places
        if dataset.split == "time":
            groups = np.concatenate(self.groups) if self.groups else None
            return splits.by_time(np.concatenate(self.times), config, groups)
        if self.groups and config.folds is not None:
            return splits.by_rank(np.concatenate(self.groups), config)
        rows = self.near.digests if self.near is not None and dataset.near_duplicates == TOGETHER else self.digests
        return np.concatenate([splits.by_hash(part, config) for part in self.groups or rows.slices()])


def collect(dataset: DatasetConfig, columns: Columns, batches: Iterable[pa.RecordBatch], folder: Path) -> Collected:
    """Write all rows and their digests to files in `folder`, and take note of what has to be known of all of them.

    Raises DataError for values that a column's type does not take, whoever the source is, and for missing values where
    a column's role needs one; and for what breaks the dataset's contract.
    """
    fields = [pa.field(column.name, column.storage) for column in columns.all]
    found = Collected(folder / ROWS, DigestFile(folder / "digests"), DigestFile(folder / "answered"))
    found.categories = {column.name: set() for column in columns.features if column.config.type == "category"}
    if looked_for(dataset, columns.features):
        found.near = NearRows(columns.features, folder)
    contract = Contract(dataset.contract, dataset, columns, folder) if dataset.contract is not None else None
    schema = pa.schema([*fields, *(FIELDS if contract is not None else ())])
    refused, start = Refused(), 0
    with pa.OSFile(str(found.rows), "wb") as sink, pa.ipc.new_stream(sink, schema) as writer:
        for batch in in_pieces(batches, CHUNKS * chunk_rows(sum(column.value_bytes for column in columns.all))):
            by_name = read_batch(columns, batch, start, refused)
            if WEIGHT_ROLE in columns.roles:
                check_weights(dataset.name, columns.roles[WEIGHT_ROLE].name, by_name)
            take_note(found, dataset, columns, by_name)
            if contract is not None:
                contract.look_at(by_name)
                by_name |= origin_of(batch, start)
            writer.write_batch(pa.RecordBatch.from_arrays([by_name[name] for name in schema.names], schema=schema))
            start += batch.num_rows
    if refused.counts:
        raise refused.error(f"dataset {dataset.name}", columns.all)
    if start == 0:
        raise DataError(f"dataset {dataset.name}: found 0 rows, expected at least one.")
    if contract is not None:
        contract.check(found.rows)
    return found


def take_note(found: Collected, dataset: DatasetConfig, columns: Columns, by_name: dict[str, pa.Array]) -> None:
    """Add to `found` what has to be known of these rows."""
    for column in columns.features:
        found.nulls[column.name] += by_name[column.name].null_count
        if pa.types.is_string(column.storage) or pa.types.is_binary(column.storage):
            found.bytes[column.name] += pc.sum(pc.binary_length(by_name[column.name])).as_py() or 0
        for remark, count in column.type.remarks(by_name[column.name], column.config).items():
            found.remarks[column.name, remark] += count
        if column.config.type == "category":
            note_categories(found, column.name, pc.unique(by_name[column.name]))
    target = by_name[columns.target.name]
    if TASKS[dataset.task].has_classes:
        found.values |= set(pc.unique(target).to_pylist()) - {None}
    elif target.null_count < len(target):
        least, greatest = pc.min_max(target).values()
        known = [*found.values, least.as_py(), greatest.as_py()]
        found.values = {min(known), max(known)}
    digests = combined([digests_of(column, by_name[column.name]) for column in columns.features])
    found.digests.append(digests)
    if found.near is not None:
        found.near.look_at(by_name)
    found.answered.append(combined([digests, digests_of(columns.target, target)]))
    for role, column in columns.roles.items():
        values = by_name[column.name]
        if role == GROUP:
            found.groups.append(column.type.digest(values))
        elif role in (TIME, START):
            moments = found.times if role == TIME else found.starts
            moments.append(since_1970(values).to_numpy(zero_copy_only=False))
        elif role == FOLD:
            found.folds.append(values)


def note_categories(found: Collected, name: str, distinct: pa.StringArray) -> None:
    if name not in found.lossy and loses_texts(distinct):
        found.lossy.add(name)
    if name in found.categories:
        found.categories[name] |= set(distinct.to_pylist()) - {None}
        if len(found.categories[name]) > MOST_CATEGORIES:
            del found.categories[name]


def _check_target(dataset: DatasetConfig, values: Target, target: Column, classes: list[str]) -> None:
    """Raise DataError for a target that the task cannot have. A task looks at which classes there are, or at the least
    and the greatest number."""
    if wrong := TASKS[dataset.task].check_target(values, target.name, classes):
        raise DataError(f"dataset {dataset.name}: {wrong}")
