"""The batches of rows that a source gives: in pieces of a bounded size, and each column in the storage of its type."""

from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa

from pipeline.data.digests import NULL, Digests
from pipeline.data.reading import Refused, read_values
from pipeline.data.schema import Column
from pipeline.data.sources.source import Columns
from pipeline.data.types.type import none_refused
from pipeline.errors import DataError

LARGEST_WEIGHT = 1e30  # float32 holds sums of such weights


def in_pieces(batches: Iterable[pa.RecordBatch], size: int) -> Iterator[pa.RecordBatch]:
    """The same rows, at most `size` at a time: some sources give all of their rows at once."""
    for batch in batches:
        for start in range(0, batch.num_rows, size):
            yield batch.slice(start, size)


def read_batch(columns: Columns, batch: pa.RecordBatch, start: int, refused: Refused) -> dict[str, pa.Array]:
    """The columns of a batch by name, in the storage of their types. What cannot be used is noted in `refused`."""
    needed = [columns.target, *columns.roles.values()]
    rows, by_name = np.arange(start + 1, start + batch.num_rows + 1), {}
    for column in columns.all:
        raw = batch[column.name]
        found = none_refused(raw) if is_stored(column, raw) else read_values(column, raw, ())
        bad = found.refused
        if column in needed or column.type.is_content:
            bad = bad | found.values.is_null().to_numpy(zero_copy_only=False)
        refused.add(column, raw, bad, rows, found.reasons)
        by_name[column.name] = found.values
    return by_name


def is_stored(column: Column, values: pa.Array) -> bool:
    """Whether values are in the storage of the column's type, and need no other look. What is stored as a number may
    still be NaN or infinite."""
    kind: pa.DataType = values.type
    return kind == column.storage and not pa.types.is_floating(kind) and not column.type.is_content


def check_weights(dataset: str, name: str, by_name: dict[str, pa.Array]) -> None:
    """Raise DataError for a weight that is less than 0, or so large that float32 might not hold their sum."""
    weights = by_name[name].fill_null(0.0).to_numpy(zero_copy_only=False)
    for extreme in (weights.min(initial=0.0), weights.max(initial=0.0)):
        if not 0 <= extreme <= LARGEST_WEIGHT:
            raise DataError(
                f"dataset {dataset}: weight '{name}' is {extreme:g} in a row, expected 0 to {LARGEST_WEIGHT:g}."
            )


def digests_of(column: Column, values: pa.Array, found: Digests | None = None) -> Digests:
    """A digest (N,) of each value of a column, or the one that was `found`; missing values have one of their own."""
    found = column.type.digest(values) if found is None else found
    return np.where(values.is_null().to_numpy(zero_copy_only=False), NULL, found) if values.null_count else found
