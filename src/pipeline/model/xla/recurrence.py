"""Keras' recurrent layers, written so that XLA computes them well on a CPU. Layers and formulas are the same, their
order is another.

Keras' own loop multiplies inputs and weights anew at every time step, and its gradient does so three times more. Here
the loop, which XLA fuses, holds only what must wait for the step before. The projection of the inputs and the gradients
of the weights are one matrix product each over all steps (Appleyard et al. 2016, "Optimizing Performance of Recurrent
Neural Networks on GPUs").

Shapes: B rows, T steps, C features, H units; F = H for SimpleRNN, 3H (z, r, g) for GRU, 4H (i, f, g, o) for LSTM.
A layer's states are [h], and [h, c] for LSTM.
"""

from typing import Any

import keras
import tensorflow as tf
from tensorflow import Tensor

from pipeline.model.xla.arrays import Differentiable, flat
from pipeline.model.xla.cells import CELLS, States, before_each
from pipeline.model.xla.means import sum_of_rows
from pipeline.model.xla.settings import unusual_setting


def speed_up(layer: keras.Layer) -> None:
    """Let a recurrent layer, or a Bidirectional of one, compute by the fast path; other layers stay as they are.

    The layer's class, configuration and weights do not change, so the file to which it is saved does not change either.
    """
    if isinstance(layer, keras.layers.Bidirectional):
        speed_up(layer.forward_layer)
        speed_up(layer.backward_layer)
    elif type(layer) in CELLS and not why_slow(layer):
        usual = layer.inner_loop

        def inner_loop(
            sequences: Tensor, initial_state: States, mask: Tensor | None, training: bool = False
        ) -> tuple[Tensor, Tensor, States]:
            masked = any(m is not None for m in tf.nest.flatten([mask]))
            if masked or None in sequences.shape[1:]:
                outputs: tuple[Tensor, Tensor, States] = usual(sequences, initial_state, mask, training=training)
                return outputs
            h_TBH, *others = _run(layer, sequences, tf.nest.flatten(initial_state))
            last = [h_TBH[-1], *others]
            return last[0], tf.transpose(h_TBH, [1, 0, 2]), last

        layer.inner_loop = inner_loop


def why_slow(layer: keras.Layer, _: int = 0) -> str | None:
    """What keeps a recurrent layer, or a Bidirectional of one, from the fast path, or None."""
    if isinstance(layer, keras.layers.Bidirectional):
        return why_slow(layer.forward_layer) or why_slow(layer.backward_layer)
    if type(layer) not in CELLS:
        return f"is a {type(layer).__name__}"
    usual: dict[str, Any] = {"activation": keras.activations.tanh, "dropout": 0, "recurrent_dropout": 0}
    if type(layer) is not keras.layers.SimpleRNN:
        usual["recurrent_activation"] = keras.activations.sigmoid
    if type(layer) is keras.layers.GRU:
        usual["reset_after"] = True
    return unusual_setting(layer.cell, usual | {"compute_dtype": "float32"})


def _run(layer: keras.Layer, x_BTC: Tensor, first: States) -> States:
    """Run a layer over all steps, from the states `first`.

    Returns h after every step (T, B, H), in the order of processing, and the other states after the last step (B, H).
    """
    W_CF, U_HF = layer.cell.kernel.value, layer.cell.recurrent_kernel.value
    gru, H = isinstance(layer, keras.layers.GRU), layer.cell.units
    b = tf.zeros(([2] if gru else []) + [W_CF.shape[1]]) if layer.cell.bias is None else layer.cell.bias.value
    # A GRU has two biases. Of the second, only the part that r multiplies cannot be added before the loop.
    if gru:
        b, late_H = b[0] + tf.pad(b[1, : 2 * H], [[0, H]]), b[1, 2 * H :]
    else:
        late_H = tf.zeros([H])
    x_TBC = tf.transpose(x_BTC, [1, 0, 2])
    x_TBC = tf.reverse(x_TBC, [0]) if layer.go_backwards else x_TBC
    forward, backward = CELLS[type(layer)]

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def run(x_TBC: Tensor, W_CF: Tensor, U_HF: Tensor, b_F: Tensor, late_H: Tensor, *first: Tensor) -> Differentiable:
        p = tf.nn.bias_add(tf.matmul(flat(x_TBC), W_CF), b_F)
        p_TBF = tf.reshape(p, [x_TBC.shape[0], -1, W_CF.shape[1]])
        h_TBH, others, kept = forward(p_TBF, U_HF, late_H, first)

        def gradient(dh_TBH: Tensor, *dothers: Tensor) -> tuple[Tensor, ...]:
            h_before = before_each(first[0], h_TBH)
            dp, da, dfirst = backward(dh_TBH, dothers, [h_before, *first[1:]], kept, U_HF)
            dp, da = flat(dp), flat(da)
            dx = tf.reshape(tf.matmul(dp, W_CF, transpose_b=True), tf.shape(x_TBC))
            dW, dU = (tf.matmul(flat(i), d, transpose_a=True) for i, d in ((x_TBC, dp), (h_before, da)))
            return dx, dW, dU, sum_of_rows(dp), sum_of_rows(da[:, -H:]), *dfirst

        return (h_TBH, *others), gradient

    return list(run(x_TBC, W_CF, U_HF, b, late_H, *first))
