"""Numeric columns, standardised by the training rows' mean and deviation."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pipeline.config import PreprocessingConfig
from pipeline.data.schema import Schema
from pipeline.model.kinds import VECTOR
from pipeline.model.preprocessing.modality import Preprocessing
from pipeline.model.preprocessing.scaling import rescale

if TYPE_CHECKING:
    from pipeline.data.prepared import AnySplit, Split


def build(config: PreprocessingConfig, schema: Schema, inputs: dict[str, Any], train: "AnySplit") -> Any:
    """One (B, 1) input for each column to a vector (B, D)."""
    import keras

    columns = [inputs[feature.name] for feature in schema.features]
    x = keras.layers.Concatenate(name="columns")(columns) if len(columns) > 1 else columns[0]
    if not config.standardize:
        return keras.layers.Identity(name="as_is")(x)
    mean_D, deviation_D = mean_and_deviation(train, [feature.name for feature in schema.features])
    # as scikit-learn's StandardScaler: a column that is constant in training is centred and not stretched
    scale_D = 1 / np.where(deviation_D == 0, 1.0, deviation_D)
    return rescale(x, scale_D, -mean_D * scale_D, "standardize")


def mean_and_deviation(split: "AnySplit", names: list[str]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and population deviation (D,) of these columns; the deviation of equal values is exactly 0."""
    low_D, high_D, sum_D = np.full(len(names), np.inf), np.full(len(names), -np.inf), np.zeros(len(names))
    for chunk in split.chunks():
        matrix_ND = _matrix(chunk, names)
        low_D, high_D = np.minimum(low_D, matrix_ND.min(axis=0)), np.maximum(high_D, matrix_ND.max(axis=0))
        sum_D += matrix_ND.sum(axis=0)
    # the rounded mean of equal values need not be that value
    mean_D = np.where(low_D == high_D, low_D, sum_D / split.num_rows)
    squares_D = sum(((_matrix(chunk, names) - mean_D) ** 2).sum(axis=0) for chunk in split.chunks())
    return mean_D, np.sqrt(squares_D / split.num_rows)


def _matrix(split: "Split", names: list[str]) -> NDArray[np.float64]:
    """The columns side by side (N, D). Numbers below float32's smallest normal one are 0 here, as they are to
    TensorFlow, whose kernels read them as 0."""
    matrix_ND = np.stack([split.inputs[name] for name in names], axis=1).astype(np.float64)
    matrix_ND[np.abs(matrix_ND) < np.finfo(np.float32).tiny] = 0.0
    return matrix_ND


PREPROCESSING = Preprocessing(build, gives=VECTOR)
