"""A prepared dataset on disk: one Parquet file for each split, with row ids, raw inputs and target.

Statistics and features are computed by way of `chunks`, which has the same chunk boundaries in memory and on disk. So
the results are bit-identical, wherever a split is.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pipeline.data.schema import Schema, remedy
from pipeline.data.types.type import storage_bytes
from pipeline.errors import DataError
from pipeline.layout import BEST_POSSIBLE, split_file
from pipeline.tasks.task import Target

ROW, TARGET, WEIGHT = "row", "target", "sample_weight"
CHUNK_ROWS = 8192
CHUNK_BYTES = 2**23


def chunk_rows(row_bytes: int) -> int:
    """How many rows of so many bytes each a chunk has: CHUNK_ROWS, but at most what CHUNK_BYTES hold."""
    return max(1, min(CHUNK_ROWS, CHUNK_BYTES // row_bytes))


@dataclass(frozen=True)
class Split:
    """`rows` (N,) ids; `table` has the features, each in the storage of its type; `target` (N,), which is the index of
    a class for tasks with classes; `weight` (N,) or None. `row_bytes` is about how many bytes the features of a row
    take in memory, as its schema says; where it is 0, the storage of each says it."""

    rows: NDArray[np.str_]
    table: pa.Table
    target: Target
    weight: NDArray[np.float32] | None = None
    row_bytes: int = 0

    @property
    def num_rows(self) -> int:
        return len(self.rows)

    def chunks(self) -> "Iterator[Split]":
        """The rows in order, `chunk_rows` at a time."""
        size = chunk_rows(self.row_bytes or sum(map(storage_bytes, self.table.schema.types)))
        for start in range(0, self.num_rows, size):
            chosen = slice(start, start + size)
            part = self.table.slice(start, size)
            yield replace(self, rows=self.rows[chosen], table=part, target=self.target[chosen], weight=None)

    def where(self, kept: NDArray[np.bool_]) -> "Split":
        """The rows where `kept` (N,) is true. The weights are left out."""
        part = self.table.filter(pa.array(kept))
        return replace(self, rows=self.rows[kept], table=part, target=self.target[kept], weight=None)


@dataclass(frozen=True)
class SplitFile:
    """A split that stays on disk. Only its target and weight (N,) and one chunk of its rows are in memory at a time."""

    path: Path
    schema: Schema

    @cached_property
    def num_rows(self) -> int:
        return len(self.target)

    @cached_property
    def target(self) -> Target:
        return target_values(read_table(self.path, [TARGET])[TARGET], self.schema.classes)

    @cached_property
    def row_ids(self) -> pa.ChunkedArray:
        return read_table(self.path, [ROW])[ROW]

    @cached_property
    def rows(self) -> NDArray[np.str_]:
        return np.array(self.row_ids.to_pylist())

    def row(self, number: int) -> pa.Table:
        """The features of one row, of which the first has number 0, as a table of one row."""
        for chunk in self.chunks():
            if number < chunk.num_rows:
                break
            number -= chunk.num_rows
        return chunk.table.slice(number, 1)

    @cached_property
    def weight(self) -> NDArray[np.float32] | None:
        return _weight(read_table(self.path, [WEIGHT]))

    def chunks(self) -> Iterator[Split]:
        """The rows in order, as a Split for each `chunk_rows` of them."""
        size = chunk_rows(self.schema.row_bytes)
        with open_parquet(self.path) as file:
            for batch in file.iter_batches(size):
                yield to_split(pa.Table.from_batches([batch]), self.schema, self.path)


AnySplit = Split | SplitFile


def read_table(path: Path, columns: list[str] | None = None) -> pa.Table:
    """The table in a Parquet file. Raises DataError where it is missing or damaged."""
    with open_parquet(path) as file:
        return file.read(columns)


@contextmanager
def open_parquet(path: Path) -> Iterator[pq.ParquetFile]:
    """A Parquet file to read. Raises DataError where it is missing, or where it turns out to be damaged."""
    try:
        # pq.read_table would import pandas, which takes time. With read-ahead, all that was read would stay in memory
        # until the file is closed.
        with pq.ParquetFile(path, pre_buffer=False) as file:
            yield file
    except FileNotFoundError as error:
        raise DataError(f"{path}: not found, expected a Parquet file.") from error
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"{path}: not a readable Parquet file ({' '.join(str(error).split())}).") from error


def read_split(folder: Path, split: str, schema: Schema) -> Split:
    """One split of a prepared dataset."""
    path = folder / split_file(split)
    return to_split(read_table(path), schema, path)


def open_split(folder: Path, split: str, schema: Schema, most_bytes: int) -> AnySplit:
    """One split of a prepared dataset. It is read into memory if its features take at most `most_bytes`; otherwise it
    stays on disk."""
    path = folder / split_file(split)
    file = SplitFile(path, schema)
    # Parquet knows how long texts are, but writes equal numbers once.
    size = max(file.num_rows * schema.row_bytes, stored_bytes(path))
    return read_split(folder, split, schema) if size <= most_bytes else file


def stored_bytes(path: Path) -> int:
    """How many bytes the columns of a Parquet file take when they are not compressed."""
    with pq.ParquetFile(path) as file:
        metadata = file.metadata
        return sum(metadata.row_group(i).total_byte_size for i in range(metadata.num_row_groups))


def to_split(table: pa.Table, schema: Schema, path: Path) -> Split:
    """The columns of a split's file; `path` is named in errors."""
    features = pa.schema([pa.field(column.name, column.storage) for column in schema.features])
    wanted = [ROW, TARGET, *features.names]
    if any(name not in table.column_names for name in wanted):
        found = ", ".join(table.column_names)
        again = remedy(path.parent, again=True)
        raise DataError(f"{path}: found columns {found}, expected {', '.join(wanted)}. {again}")
    chosen = table.select(features.names)
    if chosen.schema.types != features.types:
        again = remedy(path.parent, again=True)
        raise DataError(f"{path}: found {chosen.schema.types}, expected {features.types}. {again}")
    rows, target = np.array(table[ROW].to_pylist()), target_values(table[TARGET], schema.classes)
    return Split(rows, chosen, target, _weight(table), schema.row_bytes)


def best_possible(folder: Path) -> dict[str, float]:
    """The test metrics that no model of a prepared dataset can exceed; none where that is not known."""
    path = folder / BEST_POSSIBLE
    known: dict[str, float] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return known


def target_values(target: pa.ChunkedArray, classes: list[str]) -> Target:
    """A stored target (N,): the index of each row's class, or the number itself where there are no classes."""
    if not classes:
        numbers: NDArray[np.float64] = target.to_numpy()
        return numbers
    codes: NDArray[np.int32] = pc.index_in(target, pa.array(classes)).to_numpy().astype(np.int32)
    return codes


def _weight(table: pa.Table) -> NDArray[np.float32] | None:
    return table[WEIGHT].to_numpy().astype(np.float32) if WEIGHT in table.column_names else None
