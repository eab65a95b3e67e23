"""Numeric columns, standardised by the training rows' mean and deviation."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.config import PreprocessingConfig
from pipeline.data.prepared import AnySplit, Split
from pipeline.data.schema import Schema


def build(config: PreprocessingConfig, schema: Schema, inputs: dict[str, Any], train: AnySplit) -> Any:
    """One (B, 1) input for each column to a vector (B, D)."""
    import keras

    columns = [inputs[feature.name] for feature in schema.features]
    x = keras.layers.Concatenate(name="columns")(columns) if len(columns) > 1 else columns[0]
    if not config.standardize:
        return keras.layers.Identity(name="as_is")(x)
    names = [feature.name for feature in schema.features]
    mean_D = sum(_matrix(chunk, names).sum(axis=0) for chunk in train.chunks()) / train.num_rows
    squares_D = sum(((_matrix(chunk, names) - mean_D) ** 2).sum(axis=0) for chunk in train.chunks())
    variance_D = squares_D / train.num_rows
    return keras.layers.Normalization(mean=mean_D.tolist(), variance=variance_D.tolist(), name="standardize")(x)


def _matrix(split: Split, names: list[str]) -> NDArray[np.float64]:
    """The columns side by side (N, D)."""
    return np.stack([split.inputs[name] for name in names], axis=1).astype(np.float64)
