"""Linear regression: y = W x + b (least squares; Hastie, Tibshirani, Friedman 2009, section 3.2)."""

from typing import Any

from pipeline.config import LinearConfig


def build(config: LinearConfig, features: Any) -> Any:
    """Features (B, ...) as a flat vector (B, D); W and b are the head's."""
    import keras

    return keras.layers.Flatten(name="flatten")(features)
