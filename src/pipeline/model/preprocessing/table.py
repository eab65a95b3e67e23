"""Tables: numeric columns are standardised by the mean and deviation of the training rows."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pipeline.config import PreprocessingConfig
from pipeline.data.moments import as_tensorflow_reads, mean_and_deviation, stretch
from pipeline.data.schema import Schema
from pipeline.model.kinds import VECTOR
from pipeline.model.preprocessing.modality import Preprocessing
from pipeline.model.preprocessing.scaling import rescale

if TYPE_CHECKING:
    import keras

    from pipeline.data.prepared import AnySplit, Split


def build(
    config: PreprocessingConfig, schema: Schema, inputs: "dict[str, keras.KerasTensor]", train: "AnySplit"
) -> "keras.KerasTensor":
    """Turn one input (B, 1) for each column into vectors (B, D)."""
    import keras

    columns = [inputs[feature.name] for feature in schema.features]
    x = keras.layers.Concatenate(name="columns")(columns) if len(columns) > 1 else columns[0]
    if not config.standardize:
        return keras.layers.Identity(name="as_is")(x)
    names = [feature.name for feature in schema.features]
    mean_D, deviation_D = mean_and_deviation(lambda: (_matrix(chunk, names) for chunk in train.chunks()))
    scale_D = 1 / stretch(deviation_D)
    return rescale(x, scale_D, -mean_D * scale_D, "standardize")


def _matrix(split: "Split", names: list[str]) -> NDArray[np.float64]:
    """The columns side by side (N, D)."""
    return as_tensorflow_reads(np.stack([split.inputs[name] for name in names], axis=1))


PREPROCESSING = Preprocessing(build, gives=VECTOR)
