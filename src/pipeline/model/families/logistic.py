"""Logistic regression: p = sigmoid(W x + b), or softmax for more classes (Hastie et al. 2009, section 4.4)."""

from typing import Any

from pipeline.config import LogisticConfig


def build(config: LogisticConfig, features: Any) -> Any:
    """Features (B, ...) as a flat vector (B, D); W and b are the head's."""
    import keras

    return keras.layers.Flatten(name="flatten")(features)
