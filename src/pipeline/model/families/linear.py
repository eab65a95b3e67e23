"""Linear regression: y = W x + b (least squares; Hastie, Tibshirani, Friedman 2009, section 3.2)."""

from dataclasses import dataclass
from typing import Any

from pipeline.config import ModelConfig
from pipeline.model.families.family import Family
from pipeline.model.kinds import GRID, SEQUENCE, VECTOR


@dataclass
class LinearConfig(ModelConfig):
    """It has no settings of its own."""


def build(config: LinearConfig, features: Any) -> Any:
    """Features (B, ...) as a flat vector (B, D); W and b are the head's."""
    import keras

    return keras.layers.Flatten(name="flatten")(features)


FAMILY = Family(LinearConfig, build, accepts=(VECTOR, SEQUENCE, GRID), tasks=("regression",), convex=True)
