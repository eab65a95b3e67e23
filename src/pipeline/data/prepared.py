"""A prepared dataset on disk: one Parquet file for each split, with row ids, raw inputs and target.

Statistics and features are computed by way of `chunks`, which has the same chunk boundaries in memory and on disk. So
the results are bit-identical, wherever a split is.
"""

import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pipeline.config import LimitConfig
from pipeline.data.digests import text_digests, unit_interval
from pipeline.data.schema import Schema, remedy
from pipeline.errors import DataError
from pipeline.layout import TRAIN, VALIDATION, split_file

ROW, TARGET, WEIGHT = "row", "target", "sample_weight"
CHUNK_ROWS = 8192
CHUNK_BYTES = 2**23
USUAL_BYTES = 32  # of a value whose size varies


def value_bytes(storage: pa.DataType) -> int:
    """About how many bytes a value takes in memory."""
    if pa.types.is_fixed_size_list(storage):
        return int(storage.list_size) * value_bytes(storage.value_type)
    return max(1, storage.bit_width // 8) if pa.types.is_primitive(storage) else USUAL_BYTES


def chunk_rows(storages: Iterable[pa.DataType]) -> int:
    """How many rows with values of these Arrow types a chunk has: CHUNK_ROWS, but at most what CHUNK_BYTES hold."""
    row_bytes = sum(value_bytes(storage) for storage in storages)
    return max(1, min(CHUNK_ROWS, CHUNK_BYTES // row_bytes))


@dataclass(frozen=True)
class Split:
    """`rows` (N,) ids; `table` has the features, each in the storage of its type; `target` (N,), which is the index of
    a class for tasks with classes; `weight` (N,) or None."""

    rows: NDArray[np.str_]
    table: pa.Table
    target: NDArray[Any]
    weight: NDArray[np.float32] | None = None

    @property
    def num_rows(self) -> int:
        return len(self.rows)

    def chunks(self) -> "Iterator[Split]":
        """The rows in order, `chunk_rows` at a time."""
        size = chunk_rows(self.table.schema.types)
        for start in range(0, self.num_rows, size):
            chosen = slice(start, start + size)
            yield Split(self.rows[chosen], self.table.slice(start, size), self.target[chosen])

    def where(self, kept: NDArray[np.bool_]) -> "Split":
        """The rows where `kept` (N,) is true. The weights are left out."""
        return Split(self.rows[kept], self.table.filter(pa.array(kept)), self.target[kept])


@dataclass(frozen=True)
class SplitFile:
    """A split that stays on disk. Only its target and weight (N,) and one chunk of its rows are in memory at a time."""

    path: Path
    schema: Schema

    @cached_property
    def num_rows(self) -> int:
        return len(self.target)

    @cached_property
    def target(self) -> NDArray[Any]:
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
        size = chunk_rows(column.storage for column in self.schema.features)
        with open_parquet(self.path) as file:
            for batch in file.iter_batches(size):
                yield to_split(pa.Table.from_batches([batch]), self.schema, self.path)


AnySplit = Split | SplitFile


@dataclass(frozen=True)
class TrainingData:
    """What a model learns from: a prepared dataset's schema, the rows to train on and those to validate on."""

    schema: Schema
    train: AnySplit
    validation: AnySplit

    @classmethod
    def open(cls, folder: Path, most_bytes: int, limit: LimitConfig) -> "TrainingData":
        """Open both splits of the prepared dataset in `folder` as `open_split` does, and keep what `limit` leaves."""
        schema = Schema.read(folder)
        splits = [limited(open_split(folder, split, schema, most_bytes), limit) for split in (TRAIN, VALIDATION)]
        return cls(schema, *splits)


def limited(split: AnySplit, limit: LimitConfig) -> AnySplit:
    """The rows that `limit` leaves of a split, in their order, in memory; the split itself if no row is left out."""
    wanted = min(math.ceil(limit.fraction * split.num_rows), limit.rows or split.num_rows)
    return split if wanted == split.num_rows else sample(split, wanted, limit.seed)


def sample(split: AnySplit, wanted: int, seed: int | None = None) -> Split:
    """At most `wanted` rows of a split, in their order, in memory: those whose ids come first when sorted.

    Ids are digests. Sorted by them, rows are well mixed, and rows that are added to the split push few others out. With
    a seed, rows are sorted by a number that is made of their id and the seed, so each seed keeps other rows.
    """
    ids = (
        read_table(split.path, [ROW])[ROW] if isinstance(split, SplitFile) else pa.chunked_array([pa.array(split.rows)])
    )
    keys = {ROW: ids}
    if seed is not None:
        keys = {"drawn": pa.array(unit_interval(text_digests(ids.combine_chunks()), seed)), ROW: ids}
    first = pc.select_k_unstable(pa.table(keys), min(wanted, split.num_rows), [(key, "ascending") for key in keys])
    kept = np.zeros(split.num_rows, bool)
    kept[first.to_numpy()] = True
    parts, done = [], 0
    for part in split.chunks():
        parts.append(part.where(kept[done:][: part.num_rows]))
        done += part.num_rows
    table = pa.concat_tables([part.table for part in parts])
    rows, target = (np.concatenate([getattr(part, name) for part in parts]) for name in ("rows", "target"))
    return Split(rows, table, target, split.weight[kept] if split.weight is not None else None)


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
    row_bytes = sum(value_bytes(column.storage) for column in schema.features)
    file = SplitFile(path, schema)
    # Parquet knows how long texts are, but writes equal numbers once.
    size = max(file.num_rows * row_bytes, stored_bytes(path))
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
    return Split(np.array(table[ROW].to_pylist()), chosen, target_values(table[TARGET], schema.classes), _weight(table))


def target_values(target: pa.ChunkedArray, classes: list[str]) -> NDArray[Any]:
    """A stored target (N,): the index of each row's class, or the number itself where there are no classes."""
    if not classes:
        numbers: NDArray[np.float64] = target.to_numpy()
        return numbers
    codes: NDArray[np.int32] = pc.index_in(target, pa.array(classes)).to_numpy().astype(np.int32)
    return codes


def _weight(table: pa.Table) -> NDArray[np.float32] | None:
    return table[WEIGHT].to_numpy().astype(np.float32) if WEIGHT in table.column_names else None
