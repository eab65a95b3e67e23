"""Columns, rows and splits made of arrays."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from pipeline.config import PreprocessingConfig
from pipeline.data.prepared import ROW, TARGET, WEIGHT, Split, chunk_rows
from pipeline.data.schema import Column, Schema
from pipeline.data.types.category import CategoryColumn
from pipeline.data.types.image import ImageColumn
from pipeline.data.types.number import NumberColumn
from pipeline.data.types.sequence import SequenceColumn
from pipeline.data.types.text import TextColumn
from pipeline.layout import split_file
from pipeline.model.assembly import by_feature, raw_inputs
from pipeline.model.inputs.features import as_tensors, build_features, collate
from pipeline.model.kinds import GRID, VECTOR

if TYPE_CHECKING:
    import keras


def number(name: str, nullable: bool = False) -> Column:
    return Column(name, NumberColumn("number"), nullable)


def image(name: str, shape: list[int]) -> Column:
    return Column(name, ImageColumn("image", shape=shape))


def stored(values: np.ndarray) -> pa.Array:
    """Texts or numbers (N,), or images (N, H, W, C), as they are stored."""
    if values.dtype.kind == "U":
        return pa.array(values.tolist())
    if values.ndim == 1:
        return pa.array(values.astype(np.float64))
    return pa.FixedSizeListArray.from_arrays(pa.array(values.astype(np.float32).reshape(-1)), values[0].size)


def category(name: str, nullable: bool = False) -> Column:
    return Column(name, CategoryColumn("category"), nullable)


def text(name: str, nullable: bool = False) -> Column:
    return Column(name, TextColumn("text"), nullable)


def sequence(name: str, nullable: bool = False) -> Column:
    return Column(name, SequenceColumn("sequence"), nullable)


def split_of(columns: dict[str, np.ndarray], target: np.ndarray | None = None) -> Split:
    table = pa.table({name: stored(np.asarray(values)) for name, values in columns.items()})
    rows = np.array([f"{i:x}" for i in range(table.num_rows)])
    return Split(rows, table, np.zeros(table.num_rows) if target is None else target)


def preprocessing(
    schema: Schema,
    train: Split,
    config: PreprocessingConfig | None = None,
    accepts: tuple[str, ...] = (VECTOR, GRID),
) -> "keras.Model":
    """The piece of a model that turns raw inputs into features."""
    raw = raw_inputs(schema)
    (feature,) = build_features(config or PreprocessingConfig(), schema, raw, train, accepts).values()
    return by_feature(raw, feature.tensor, "preprocess")


def inputs_of(schema: Schema, split: Split) -> dict[str, Any]:
    """What a served model takes."""
    return as_tensors(collate(schema, split.table))


def array_of(split: Split, name: str) -> np.ndarray:
    """A column's numbers, (N,) or (N, P)."""
    values = split.table[name].combine_chunks()
    flat = values.flatten() if pa.types.is_nested(values.type) else values
    return flat.to_numpy(zero_copy_only=False).reshape(split.num_rows, -1).squeeze()


def write_split(folder: Path, name: str, schema: Schema, split: Split) -> None:
    """A split's file, as `prepare` writes it."""
    import pyarrow.parquet as pq

    target = np.array(schema.classes)[split.target] if schema.classes else split.target
    columns = {ROW: pa.array(split.rows.tolist())}
    columns |= {column: split.table[column] for column in split.table.column_names} | {TARGET: pa.array(target)}
    if split.weight is not None:
        columns[WEIGHT] = pa.array(split.weight)
    folder.mkdir(parents=True, exist_ok=True)
    size = chunk_rows(schema.row_bytes)
    pq.write_table(pa.table(columns), folder / split_file(name), row_group_size=size)
