"""Keras' layers in the form that XLA makes fast on a CPU: the same formulas, the same layers when saved.

`slow_layer` names a layer that has no such form; XLA takes ten and more times as long for it as TensorFlow.
"""

from collections.abc import Callable

import keras
from keras import layers

from pipeline.model.xla import batch_norm, convolution, dropout, pooling, recurrence

WHY_SLOW: dict[type, Callable[[keras.Layer, int], str | None]] = {
    layers.Conv1D: convolution.why_slow,
    layers.Conv2D: convolution.why_slow,
    layers.Dropout: dropout.why_slow,
    layers.MaxPooling1D: pooling.why_slow,
    layers.MaxPooling2D: pooling.why_slow,
    layers.SimpleRNN: recurrence.why_slow,
    layers.GRU: recurrence.why_slow,
    layers.LSTM: recurrence.why_slow,
    layers.Bidirectional: recurrence.why_slow,
}
# elementwise operations, sums, products of matrices and changes of shape, which XLA computes well as Keras writes them
FAST_AS_THEY_ARE = (
    layers.InputLayer,
    layers.Dense,
    layers.Flatten,
    layers.Reshape,
    layers.ReLU,
    layers.Activation,
    layers.Add,
    layers.Concatenate,
    layers.Rescaling,
    layers.LayerNormalization,
    layers.BatchNormalization,
    layers.GlobalAveragePooling1D,
    layers.GlobalAveragePooling2D,
)


def speed_up(core: keras.Model, on_gpu: bool) -> None:
    """Let the layers of a model compute in the form that XLA makes fast; each file says which layers it can.

    On a GPU, XLA makes Keras' own form fast. There only dropout changes, which would draw other numbers than without
    XLA.
    """
    for layer in core.layers:
        for form in (dropout,) if on_gpu else (batch_norm, convolution, dropout, pooling, recurrence):
            form.speed_up(layer)


def slow_layer(core: keras.Model, batch_size: int) -> str | None:
    """The first layer of `core` that XLA would get in Keras' own, slow form on batches of so many rows, and why, as a
    text such as `convolution_0 has padding=valid`; None where every layer is fast."""
    for layer in core.layers:
        if type(layer) in FAST_AS_THEY_ARE:
            continue
        why_slow = WHY_SLOW.get(type(layer))
        reason = why_slow(layer, batch_size) if why_slow else f"is a {type(layer).__name__}"
        if reason:
            return f"{layer.name} {reason}"
    return None
