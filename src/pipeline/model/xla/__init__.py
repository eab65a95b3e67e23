"""Keras' layers in the form that XLA makes fast on a CPU: the same formulas, the same layers when saved."""

from typing import Any


def speed_up(core: Any) -> None:
    """Let the layers of a model compute in the form that XLA makes fast; each file says which layers it can."""
    from pipeline.model.xla import batch_norm, convolution, dropout, pooling, recurrence

    for layer in core.layers:
        batch_norm.speed_up(layer)
        convolution.speed_up(layer)
        dropout.speed_up(layer)
        pooling.speed_up(layer)
        recurrence.speed_up(layer)
