"""Keras' layers in a form that XLA makes fast on a CPU. The formulas are the same, and so are the layers when saved.

`slow_layer` names a layer that has no such form. For such a layer XLA takes ten times as long as TensorFlow, or longer.

A form is a file with `speed_up(layer)`, which replaces what the layer computes, if it is of the right class and has
settings that the form knows, and `why_slow(layer, batch_size)`, which says what keeps a layer from the form, or None.
To add one, write the file, name it in `speed_up` below, give its layers a line in WHY_SLOW, and compare it with Keras'
outputs and gradients in tests/unit/model/xla. For example, for PReLU::

    def speed_up(layer: keras.Layer) -> None:
        if type(layer) is keras.layers.PReLU and not why_slow(layer):
            layer.call = lambda x: tf.maximum(x, 0) + layer.alpha.value * tf.minimum(x, 0)

    def why_slow(layer: keras.Layer, _: int = 0) -> str | None:
        return unusual_setting(layer, {"compute_dtype": "float32"})
"""

from collections.abc import Callable

import keras
from keras import layers

from pipeline.model.xla import batch_norm, convolution, dropout, pooling, recurrence

MOST_EMBEDDED = 1000  # with larger tables nothing was measured


def _large_table(layer: keras.Layer, _: int) -> str | None:
    """XLA looks up a small table, and adds up its gradient, about as fast as TensorFlow."""
    return f"has a table of {layer.input_dim} rows" if layer.input_dim > MOST_EMBEDDED else None


WHY_SLOW: dict[type, Callable[[keras.Layer, int], str | None]] = {
    layers.Conv1D: convolution.why_slow,
    layers.Conv2D: convolution.why_slow,
    layers.Dropout: dropout.why_slow,
    layers.Embedding: _large_table,
    layers.MaxPooling1D: pooling.why_slow,
    layers.MaxPooling2D: pooling.why_slow,
    layers.SimpleRNN: recurrence.why_slow,
    layers.GRU: recurrence.why_slow,
    layers.LSTM: recurrence.why_slow,
    layers.Bidirectional: recurrence.why_slow,
}
# These are elementwise operations, sums, products of matrices and changes of shape. XLA computes them well as Keras
# writes them.
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
    """Let the layers of a model compute in the form that XLA makes fast; each file says for which layers it has one.

    On a GPU, XLA makes Keras' own form fast. There only dropout changes, because under XLA it would otherwise draw
    other numbers than without XLA.
    """
    for layer in core.layers:
        for form in (dropout,) if on_gpu else (batch_norm, convolution, dropout, pooling, recurrence):
            form.speed_up(layer)


def slow_layer(core: keras.Model, batch_size: int) -> str | None:
    """The first layer of `core` that has no fast form on batches of so many rows, and why; None where all layers have
    one.

    The answer is a text such as `convolution_0 has padding=valid`.
    """
    for layer in core.layers:
        if type(layer) in FAST_AS_THEY_ARE:
            continue
        why_slow = WHY_SLOW.get(type(layer))
        reason = why_slow(layer, batch_size) if why_slow else f"is a {type(layer).__name__}"
        if reason:
            return f"{layer.name} {reason}"
    return None
