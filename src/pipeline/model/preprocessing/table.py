"""Numeric columns, standardised by the training rows' mean and deviation."""

from typing import Any

import numpy as np

from pipeline.config import PreprocessingConfig
from pipeline.data.prepared import Split
from pipeline.data.schema import Schema


def build(config: PreprocessingConfig, schema: Schema, inputs: dict[str, Any], train: Split) -> Any:
    """One (B, 1) input for each column to a vector (B, D)."""
    import keras

    columns = [inputs[feature.name] for feature in schema.features]
    x = keras.layers.Concatenate(name="columns")(columns) if len(columns) > 1 else columns[0]
    if not config.standardize:
        return keras.layers.Identity(name="as_is")(x)
    rows_ND = np.stack([train.inputs[f.name] for f in schema.features], axis=1).astype(np.float64)
    return keras.layers.Normalization(
        mean=rows_ND.mean(axis=0).tolist(), variance=rows_ND.var(axis=0).tolist(), name="standardize"
    )(x)
