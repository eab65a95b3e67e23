"""A prepared dataset on disk: one Parquet file for each split, with row ids, raw inputs and target.

Statistics and features are computed by way of `chunks`, which has the same chunk boundaries in memory and on disk. So
the results are bit-identical, wherever a split is.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
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
from pipeline.data.schema import Schema, remedy
from pipeline.errors import DataError
from pipeline.layout import TRAIN, VALIDATION, split_file

ROW, TARGET, WEIGHT = "row", "target", "sample_weight"
CHUNK_ROWS = 8192
CHUNK_BYTES = 2**23


def chunk_rows(shapes: Iterable[Sequence[int]]) -> int:
    """How many rows a chunk of float32 inputs of these shapes has: CHUNK_ROWS, but at most what CHUNK_BYTES hold."""
    row_bytes = 4 * sum(math.prod(shape) for shape in shapes)
    return max(1, min(CHUNK_ROWS, CHUNK_BYTES // row_bytes))


@dataclass(frozen=True)
class Split:
    """`rows` (N,) ids; `inputs[name]` (N, *feature.shape) float32; `target` (N,); `weight` (N,) or None."""

    rows: NDArray[np.str_]
    inputs: dict[str, NDArray[np.float32]]
    target: NDArray[Any]
    weight: NDArray[np.float32] | None = None

    @property
    def num_rows(self) -> int:
        return len(self.rows)

    def chunks(self) -> "Iterator[Split]":
        """The rows in order, `chunk_rows` at a time."""
        size = chunk_rows(values.shape[1:] for values in self.inputs.values())
        for start in range(0, self.num_rows, size):
            chosen = slice(start, start + size)
            inputs = {name: values[chosen] for name, values in self.inputs.items()}
            yield Split(self.rows[chosen], inputs, self.target[chosen])

    def where(self, kept: NDArray[np.bool_]) -> "Split":
        """The rows where `kept` (N,) is true. The weights are left out."""
        inputs = {name: values[kept] for name, values in self.inputs.items()}
        return Split(self.rows[kept], inputs, self.target[kept])


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
        target: NDArray[Any] = read_table(self.path, [TARGET])[TARGET].to_numpy()
        return target

    @cached_property
    def rows(self) -> NDArray[np.str_]:
        return np.array(read_table(self.path, [ROW])[ROW].to_pylist())

    @cached_property
    def weight(self) -> NDArray[np.float32] | None:
        return _weight(read_table(self.path, [WEIGHT]))

    def chunks(self) -> Iterator[Split]:
        """The rows in order, as a Split for each `chunk_rows` of them."""
        size = chunk_rows(feature.shape for feature in self.schema.features)
        try:
            # With read-ahead, the whole file would stay in memory until it is closed.
            with pq.ParquetFile(self.path, pre_buffer=False) as file:
                for batch in file.iter_batches(size):
                    yield to_split(pa.Table.from_batches([batch]), self.schema, self.path)
        except (OSError, pa.ArrowException) as error:
            raise DataError(f"{self.path}: not a readable Parquet file ({' '.join(str(error).split())}).") from error


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
    return split if wanted == split.num_rows else sample(split, wanted)


def sample(split: AnySplit, wanted: int) -> Split:
    """At most `wanted` rows of a split, in their order, in memory: those whose ids come first when sorted.

    Ids are digests. Sorted by them, rows are well mixed, and rows that are added to the split push few others out.
    """
    ids = (
        read_table(split.path, [ROW])[ROW] if isinstance(split, SplitFile) else pa.chunked_array([pa.array(split.rows)])
    )
    first = pc.select_k_unstable(pa.table({ROW: ids}), min(wanted, split.num_rows), [(ROW, "ascending")])
    kept = np.zeros(split.num_rows, bool)
    kept[first.to_numpy()] = True
    parts, done = [], 0
    for part in split.chunks():
        parts.append(part.where(kept[done:][: part.num_rows]))
        done += part.num_rows
    inputs = {name: np.concatenate([part.inputs[name] for part in parts]) for name in parts[0].inputs}
    rows, target = (np.concatenate([getattr(part, name) for part in parts]) for name in ("rows", "target"))
    return Split(rows, inputs, target, split.weight[kept] if split.weight is not None else None)


def read_table(path: Path, columns: list[str] | None = None) -> pa.Table:
    """The table in a Parquet file. Raises DataError where it is missing or damaged."""
    try:
        # pq.read_table would import pandas, which takes time.
        with pq.ParquetFile(path) as file:
            return file.read(columns)
    except FileNotFoundError as error:
        raise DataError(f"{path}: not found, expected a Parquet file.") from error
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"{path}: not a readable Parquet file ({' '.join(str(error).split())}).") from error


def read_inputs(table: pa.Table, shapes: dict[str, list[int]], path: Path) -> dict[str, NDArray[np.float32]]:
    """The raw inputs {name: (N, *shape)} among a table's columns; `path` is named in errors."""
    missing = [name for name in shapes if name not in table.column_names]
    if missing:
        found = ", ".join(table.column_names)
        raise DataError(f"{path}: found columns {found}, expected also {', '.join(missing)}.")
    inputs = {}
    for name, shape in shapes.items():
        array = table[name].combine_chunks()
        try:
            flat = array.flatten() if pa.types.is_nested(array.type) else array
            values = flat.to_numpy(zero_copy_only=False).astype(np.float32, copy=False)
            inputs[name] = values.reshape(table.num_rows, *shape)
        except (ValueError, TypeError) as error:
            raise DataError(
                f"{path}: column '{name}' is {array.type}, expected {shape or 'one'} float32 a row."
            ) from error
    return inputs


def read_split(folder: Path, split: str, schema: Schema) -> Split:
    """One split of a prepared dataset."""
    path = folder / split_file(split)
    return to_split(read_table(path), schema, path)


def open_split(folder: Path, split: str, schema: Schema, most_bytes: int) -> AnySplit:
    """One split of a prepared dataset. It is read into memory if its inputs take at most `most_bytes`; otherwise it
    stays on disk."""
    path = folder / split_file(split)
    row_bytes = sum(int(np.prod(f.shape)) * np.dtype(f.dtype).itemsize for f in schema.features)
    file = SplitFile(path, schema)
    return read_split(folder, split, schema) if file.num_rows * row_bytes <= most_bytes else file


def to_split(table: pa.Table, schema: Schema, path: Path) -> Split:
    """The columns of a split's file as arrays; `path` is named in errors."""
    if ROW not in table.column_names or TARGET not in table.column_names:
        raise DataError(f"{path}: no '{ROW}' or '{TARGET}' column. {remedy(path.parent, again=True)}")
    inputs = read_inputs(table, {f.name: f.shape for f in schema.features}, path)
    return Split(np.array(table[ROW].to_pylist()), inputs, table[TARGET].to_numpy(), _weight(table))


def _weight(table: pa.Table) -> NDArray[np.float32] | None:
    return table[WEIGHT].to_numpy() if WEIGHT in table.column_names else None
