"""What is known of a dataset's rows once all of them were seen: what deals them out, and what is remarkable."""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
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
from pipeline.data.digests import NULL, Digests, combined, mixed
from pipeline.data.prepared import target_values
from pipeline.data.reading import Refused, read_values
from pipeline.data.schema import Column
from pipeline.data.sources.source import Columns
from pipeline.data.splits import Places
from pipeline.data.types.clock import since_1970
from pipeline.data.types.type import none_refused
from pipeline.errors import DataError
from pipeline.tasks import TASKS

MOST_CATEGORIES = 1000
LARGEST_WEIGHT = 1e30  # float32 holds sums of such weights


@dataclass
class Collected:
    """`digests` (N,) are of the features of each row. `nulls` counts the missing values of each feature. `categories`
    are those of each feature of that type that has no more than MOST_CATEGORIES."""

    digests: Digests
    target: pa.ChunkedArray
    groups: Digests | None
    times: NDArray[Any] | None
    folds: list[str | None] | None
    nulls: dict[str, int] = field(default_factory=dict)
    categories: dict[str, set[str]] = field(default_factory=dict)

    def classes(self, dataset: DatasetConfig, target: Column) -> list[str]:
        """The names of the classes: those that the target's column names, or else all values, sorted. Empty for a
        number. Raises DataError for names that a person would take for the same."""
        if not TASKS[dataset.task].has_classes:
            return []
        found = sorted(pc.unique(self.target).to_pylist())
        alike: dict[str, str] = {}
        for name in found:
            other = alike.setdefault(unicodedata.normalize("NFKC", name).strip().casefold(), name)
            if other != name:
                raise DataError(
                    f"dataset {dataset.name}: column '{target.name}' holds the classes {other!r} and {name!r}, which "
                    "differ by blanks, case or Unicode form alone. Write them the same way."
                )
        named: list[str] = getattr(target.config, "values", [])
        return named or found

    def target_codes(self, classes: list[str]) -> NDArray[Any]:
        """The target (N,) as indices of its classes, or as it is where there are none."""
        return target_values(self.target, classes)

    def conflicting(self, classes: list[str]) -> int:
        """How many rows have the same features as an earlier row, but another target."""
        later, _ = splits.repetitions(self.digests)
        again = np.isin(self.digests, self.digests[later])
        codes = self.target_codes(classes)[again]
        pairs = np.unique(np.stack([self.digests[again], mixed(codes.astype(np.float64).view(np.uint64))]), axis=1)
        return int(pairs.shape[1] - len(np.unique(pairs[0])))

    def places(self, dataset: DatasetConfig, config: SplitConfig) -> Places | None:
        """Each row's split (N,), None where every split has all rows."""
        if dataset.split == "time":
            assert self.times is not None
            return splits.by_time(self.times, config, self.groups)
        if dataset.split == "given":
            given = splits.by_fold(self.folds or [], dataset.name, dataset.fold or "")
            return splits.with_validation(given, self.digests, config, dataset.name)
        if dataset.split == "none":
            return None
        return splits.by_hash(self.digests if self.groups is None else self.groups, config)


def collect(dataset: DatasetConfig, columns: Columns, batches: Iterable[pa.RecordBatch], path: Path) -> Collected:
    """Write all rows to an Arrow stream at `path`, and take note of what has to be known of all of them.

    Raises DataError for values that a column's type does not take, whoever the source is, and for missing values where
    a column's role needs one.
    """
    schema = pa.schema([pa.field(column.name, column.storage) for column in columns.all])
    parts: dict[str, list[Any]] = {name: [] for name in ("digests", "target", GROUP, TIME, FOLD)}
    nulls = {column.name: 0 for column in columns.features}
    categories: dict[str, set[str]] = {c.name: set() for c in columns.features if c.config.type == "category"}
    refused, start = Refused(), 0
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, schema) as writer:
        for batch in batches:
            by_name = read_batch(columns, batch, start, refused)
            if WEIGHT_ROLE in columns.roles:
                check_weights(dataset.name, columns.roles[WEIGHT_ROLE].name, by_name)
            for name in list(categories):
                categories[name] |= set(pc.unique(by_name[name]).to_pylist()) - {None}
                if len(categories[name]) > MOST_CATEGORIES:
                    del categories[name]
            for name in nulls:
                nulls[name] += by_name[name].null_count
            parts["digests"].append(combined([_digests(column, by_name[column.name]) for column in columns.features]))
            parts["target"].append(by_name[columns.target.name])
            for role, column in columns.roles.items():
                if role in parts:
                    parts[role].append(_of_role(role, column, by_name[column.name]))
            writer.write_batch(pa.RecordBatch.from_arrays([by_name[name] for name in schema.names], schema=schema))
            start += batch.num_rows
    if refused.counts:
        raise refused.error(f"dataset {dataset.name}", columns.all)
    if start == 0:
        raise DataError(f"dataset {dataset.name}: found 0 rows, expected at least one.")
    return Collected(
        np.concatenate(parts["digests"]),
        pa.chunked_array(parts["target"], columns.target.storage),
        np.concatenate(parts[GROUP]) if parts[GROUP] else None,
        np.concatenate(parts[TIME]) if parts[TIME] else None,
        [name for names in parts[FOLD] for name in names] if parts[FOLD] else None,
        nulls,
        categories,
    )


def read_batch(columns: Columns, batch: pa.RecordBatch, start: int, refused: Refused) -> dict[str, pa.Array]:
    """The columns of a batch by name, in the storage of their types. What cannot be used is noted in `refused`."""
    needed = [columns.target, *columns.roles.values()]
    rows, by_name = np.arange(start + 1, start + batch.num_rows + 1), {}
    for column in columns.all:
        raw = batch[column.name]
        found = none_refused(raw) if is_stored(column, raw) else read_values(column, raw, ())
        bad = found.refused
        # A model has no flag for an image that is missing.
        if column in needed or pa.types.is_nested(column.storage):
            bad = bad | found.values.is_null().to_numpy(zero_copy_only=False)
        refused.add(column, raw, bad, rows)
        by_name[column.name] = found.values
    return by_name


def is_stored(column: Column, values: pa.Array) -> bool:
    """Whether values are in the storage of the column's type, and need no other look. What is stored as a number may
    still be NaN or infinite."""
    kind: pa.DataType = values.type
    return kind == column.storage and not pa.types.is_floating(kind) and not pa.types.is_nested(kind)


def check_weights(dataset: str, name: str, by_name: dict[str, pa.Array]) -> None:
    """Raise DataError for a weight that is less than 0, or so large that float32 might not hold their sum."""
    weights = by_name[name].fill_null(0.0).to_numpy(zero_copy_only=False)
    for extreme in (weights.min(initial=0.0), weights.max(initial=0.0)):
        if not 0 <= extreme <= LARGEST_WEIGHT:
            raise DataError(
                f"dataset {dataset}: weight '{name}' is {extreme:g} in a row, expected 0 to {LARGEST_WEIGHT:g}."
            )


def _digests(column: Column, values: pa.Array) -> Digests:
    """A digest (N,) of each value of a feature; missing values have one of their own."""
    found = column.type.digest(values)
    return np.where(values.is_null().to_numpy(zero_copy_only=False), NULL, found) if values.null_count else found


def _of_role(role: str, column: Column, values: pa.Array) -> Any:
    if role == GROUP:
        return column.type.digest(values)
    if role == TIME:
        return since_1970(values).to_numpy(zero_copy_only=False)
    return values.to_pylist()
