"""Linear regression: y = W x + b (least squares; Hastie, Tibshirani, Friedman 2009, section 3.2)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.config import ModelConfig
from pipeline.model.families.family import Family
from pipeline.model.kinds import GRID, SEQUENCE, VECTOR, Features, only

if TYPE_CHECKING:
    import keras


@dataclass
class LinearConfig(ModelConfig):
    """This family has no settings of its own."""


def build(config: LinearConfig, features: Features) -> "keras.KerasTensor":
    """Flatten features (B, ...) into vectors (B, D). W and b belong to the head, which follows."""
    import keras

    return keras.layers.Flatten(name="flatten")(only(features))


FAMILY = Family(LinearConfig, build, accepts=(VECTOR, SEQUENCE, GRID), tasks=("regression",), convex=True)
