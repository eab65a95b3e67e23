"""Logistic regression: p = sigmoid(W x + b), or softmax for more classes (Hastie et al. 2009, section 4.4)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.config import ModelConfig
from pipeline.model.families.family import Family
from pipeline.model.kinds import GRID, SEQUENCE, VECTOR, Features, only

if TYPE_CHECKING:
    import keras


@dataclass
class LogisticConfig(ModelConfig):
    """This family has no settings of its own."""


def build(config: LogisticConfig, features: Features) -> "keras.KerasTensor":
    """Flatten features (B, ...) into vectors (B, D). W and b belong to the head, which follows."""
    import keras

    return keras.layers.Flatten(name="flatten")(only(features))


FAMILY = Family(LogisticConfig, build, accepts=(VECTOR, SEQUENCE, GRID), tasks=("binary", "multiclass"), convex=True)
