"""Images: pixels are divided by the largest value of the training images, so that they are at most 1 there."""

from typing import TYPE_CHECKING

from pipeline.config import PreprocessingConfig
from pipeline.data.schema import Schema
from pipeline.model.kinds import GRID
from pipeline.model.preprocessing.modality import Preprocessing
from pipeline.model.preprocessing.scaling import rescale

if TYPE_CHECKING:
    import keras

    from pipeline.data.prepared import AnySplit


def build(
    config: PreprocessingConfig, schema: Schema, inputs: "dict[str, keras.KerasTensor]", train: "AnySplit"
) -> "keras.KerasTensor":
    """Turn images (B, H, W, C) into a grid of the same shape."""
    (feature,) = schema.features
    largest = max(float(abs(chunk.inputs[feature.name]).max()) for chunk in train.chunks()) or 1.0
    return rescale(inputs[feature.name], 1.0 / largest, 0.0, "rescale")


PREPROCESSING = Preprocessing(build, gives=GRID)
