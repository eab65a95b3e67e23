"""From stored columns to the features of a model."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from pipeline.config import PreprocessingConfig
from pipeline.data.schema import Schema
from pipeline.model.inputs import INPUTS
from pipeline.model.inputs.input import Arrays, Tensor, side_by_side
from pipeline.model.inputs.kind import kinds_of
from pipeline.model.kinds import Feature, Features

if TYPE_CHECKING:
    import keras

    from pipeline.data.prepared import AnySplit


def tensors_of(schema: Schema) -> dict[str, Tensor]:
    """The tensors of all features, by name."""
    found: dict[str, Tensor] = {}
    for column in schema.features:
        found |= INPUTS[column.config.type].tensors(column)
    return found


def schema_taken(config: PreprocessingConfig, schema: Schema) -> Schema:
    """The schema of the rows that a model with this preprocessing takes."""
    features = [INPUTS[column.config.type].as_taken(config, column) for column in schema.features]
    return replace(schema, features=features)


def collate(schema: Schema, table: pa.Table) -> Arrays:
    """The features of a table (N rows) as arrays (N, ...), by the names of their tensors."""
    arrays: Arrays = {}
    for column in schema.features:
        values = table[column.name].combine_chunks()
        arrays |= INPUTS[column.config.type].collate(column, values)
    return arrays


def as_tensors(arrays: Arrays) -> dict[str, Any]:
    """Arrays as Keras takes them. Texts have to be TensorFlow's, and then all of them have to be."""
    if all(array.dtype != object for array in arrays.values()):
        return arrays
    import tensorflow as tf

    return {name: tf.constant(array) for name, array in arrays.items()}


def build_features(
    config: PreprocessingConfig,
    schema: Schema,
    raw: "dict[str, keras.KerasTensor]",
    train: "AnySplit",
    accepts: Sequence[str],
) -> Features:
    """The features of all columns, by kind, as a family takes them that accepts these kinds. What is to be learned is
    learned from `train`."""
    parts: dict[str, dict[str, Feature]] = {}
    for name, kind in kinds_of([column.config.type for column in schema.features], accepts).items():
        columns, found = schema.of_type(name), INPUTS[name]
        fitted = found.fit(config, columns, lambda: (chunk.table for chunk in train.chunks()))
        parts.setdefault(kind, {})[name] = found.apply(kind, columns, fitted, raw)
    return {kind: _one(kind, some) for kind, some in parts.items()}


def _one(kind: str, parts: dict[str, Feature]) -> Feature:
    """The features that several types give of one kind, as one."""
    tensor = side_by_side([part.tensor for part in parts.values()], f"{kind}_of_all")
    widths = {name: part.tensor.shape[-1] for name, part in parts.items()}
    return Feature(tensor, [size for part in parts.values() for size in part.sizes], widths)
