"""Faster training of Keras' SimpleRNN and GRU on a CPU: the same layers and formulas, computed in another order.

Keras' own loop multiplies inputs and weights anew at every time step, and its gradient does so three times more. Here
only what must wait for the step before is in a loop, which XLA fuses; the input projection and the weight gradients
are one matrix product each over all steps (Appleyard et al. 2016, "Optimizing Performance of Recurrent Neural
Networks on GPUs"). An LSTM gains nothing from it (docs/performance.md) and keeps Keras' loop.

Shapes: B rows, T steps, C features, H units; F = H for SimpleRNN, 3H (z, r, g) for GRU.
"""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf

Tensor = Any


def speed_up(layer: keras.layers.Layer) -> None:
    """Let a SimpleRNN or GRU, or a Bidirectional of them, train by the fast path; all else stays as it is.

    The layer's class, configuration and weights do not change, hence neither does the file it is saved to.
    """
    if isinstance(layer, keras.layers.Bidirectional):
        speed_up(layer.forward_layer)
        speed_up(layer.backward_layer)
    elif type(layer) in _CELLS and _is_plain(layer.cell):
        usual = layer.inner_loop

        def inner_loop(sequences: Tensor, initial_state: Any, mask: Any, training: Any = False) -> tuple[Any, Any, Any]:
            masked = any(m is not None for m in tf.nest.flatten([mask]))
            if training is not True or masked or None in sequences.shape[1:]:
                outputs: tuple[Any, Any, Any] = usual(sequences, initial_state, mask, training=training)
                return outputs
            (first_BH,) = tf.nest.flatten(initial_state)
            y_BTH, last_BH = _train(layer, sequences, first_BH)
            return last_BH, y_BTH, [last_BH]

        layer.inner_loop = inner_loop


def _is_plain(cell: Any) -> bool:
    sigmoid = keras.activations.sigmoid
    gates = getattr(cell, "recurrent_activation", sigmoid) is sigmoid and getattr(cell, "reset_after", True)
    usual = gates and cell.activation is keras.activations.tanh and cell.compute_dtype == "float32"
    return bool(usual and not cell.dropout and not cell.recurrent_dropout)


def _train(layer: Any, x_BTC: Tensor, first_BH: Tensor) -> tuple[Tensor, Tensor]:
    """All outputs (B, T, H) in the order of processing, and the last state (B, H)."""
    W_CF, U_HF = layer.cell.kernel.value, layer.cell.recurrent_kernel.value
    gru, H = isinstance(layer, keras.layers.GRU), layer.cell.units
    b = tf.zeros(([2] if gru else []) + [W_CF.shape[1]]) if layer.cell.bias is None else layer.cell.bias.value
    if gru:  # of its second bias only the part that r multiplies cannot be added before the loop
        b, late_H = b[0] + tf.pad(b[1, : 2 * H], [[0, H]]), b[1, 2 * H :]
    else:
        late_H = tf.zeros([H])
    x_TBC = tf.transpose(x_BTC, [1, 0, 2])
    x_TBC = tf.reverse(x_TBC, [0]) if layer.go_backwards else x_TBC
    forward, backward = _CELLS[type(layer)]

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def run(x_TBC: Tensor, W_CF: Tensor, U_HF: Tensor, b_F: Tensor, late_H: Tensor, first_BH: Tensor) -> Any:
        p = tf.nn.bias_add(tf.matmul(_flat(x_TBC), W_CF), b_F)
        p_TBF = tf.reshape(p, [x_TBC.shape[0], -1, W_CF.shape[1]])
        h_TBH, kept = forward(p_TBF, U_HF, late_H, first_BH)

        def gradient(dy_TBH: Tensor) -> Any:
            before_TBH = tf.concat([first_BH[tf.newaxis], h_TBH[:-1]], 0)
            dp, da, dfirst = backward(dy_TBH, before_TBH, kept, U_HF)
            dp, da = _flat(dp), _flat(da)
            dx = tf.reshape(tf.matmul(dp, W_CF, transpose_b=True), tf.shape(x_TBC))
            dW, dU = (tf.matmul(_flat(i), d, transpose_a=True) for i, d in ((x_TBC, dp), (before_TBH, da)))
            return dx, dW, dU, tf.reduce_sum(dp, 0), tf.reduce_sum(da[:, -H:], 0), dfirst

        return h_TBH, gradient

    y_TBH = run(x_TBC, W_CF, U_HF, b, late_H, first_BH)
    return tf.transpose(y_TBH, [1, 0, 2]), y_TBH[-1]


def _flat(x_TBF: Tensor) -> Tensor:
    return tf.reshape(x_TBF, [-1, x_TBF.shape[-1]])


def _loop(step: Callable[..., Any], state: Tensor, inputs: Sequence[Tensor], sizes: Sequence[int]) -> Any:
    """`step(state, *inputs of t) -> state, outputs of t` over (T, B, _); last state, and outputs (T, B, size)."""
    T, rows = inputs[0].shape[0], state.shape[0]
    sources = [tf.TensorArray(tf.float32, T).unstack(i) for i in inputs]
    outputs = [tf.TensorArray(tf.float32, T, element_shape=[rows, size]) for size in sizes]

    def body(t: Tensor, state: Any, outputs: Any) -> Any:
        state, *values = step(state, *(s.read(t) for s in sources))
        return t + 1, state, [o.write(t, v) for o, v in zip(outputs, values, strict=True)]

    _, state, outputs = tf.while_loop(lambda t, *_: t < T, body, (0, state, outputs), maximum_iterations=T)
    return state, [o.stack() for o in outputs]


def _loop_back(step: Callable[..., Any], state: Tensor, inputs: Sequence[Tensor], sizes: Sequence[int]) -> Any:
    state, outputs = _loop(step, state, [i[::-1] for i in inputs], sizes)
    return state, [o[::-1] for o in outputs]


# one function for all layers: XLA compiles it once for each (T, B, H), whatever C and the direction
def _compiled(function: Callable[..., Any]) -> Any:
    return tf.function(function, jit_compile=True, autograph=False)


# A backward multiplies by factors k that are known before its loop: da = dh * k, with h and gates kept from forward.


@_compiled
def _simple_forward(p_TBH: Tensor, U_HH: Tensor, _: Tensor, first_BH: Tensor) -> Any:
    def step(h: Tensor, p: Tensor) -> Any:
        h = tf.tanh(p + tf.matmul(h, U_HH))
        return h, h

    (h_TBH,) = _loop(step, first_BH, [p_TBH], [U_HH.shape[0]])[1]
    return h_TBH, h_TBH


@_compiled
def _simple_backward(dy_TBH: Tensor, before_TBH: Tensor, h_TBH: Tensor, U_HH: Tensor) -> Any:
    def step(dh: Tensor, dy: Tensor, k: Tensor) -> Any:
        dp = (dh + dy) * k
        return tf.matmul(dp, U_HH, transpose_b=True), dp

    k_TBH = 1 - h_TBH * h_TBH
    dfirst, (dp,) = _loop_back(step, tf.zeros_like(before_TBH[0]), [dy_TBH, k_TBH], [U_HH.shape[0]])
    return dp, dp, dfirst


@_compiled
def _gru_forward(p_TBF: Tensor, U_HF: Tensor, late_H: Tensor, first_BH: Tensor) -> Any:
    H = U_HF.shape[0]

    def step(h: Tensor, p: Tensor) -> Any:
        a = tf.matmul(h, U_HF)
        zr = tf.sigmoid(p[:, : 2 * H] + a[:, : 2 * H])
        q = a[:, 2 * H :] + late_H
        g = tf.tanh(p[:, 2 * H :] + zr[:, H:] * q)
        h = g + zr[:, :H] * (h - g)
        return h, h, zr, q, g

    h_TBH, *kept = _loop(step, first_BH, [p_TBF], [H, 2 * H, H, H])[1]
    return h_TBH, kept


@_compiled
def _gru_backward(dy_TBH: Tensor, before_TBH: Tensor, kept: Any, U_HF: Tensor) -> Any:
    zr, q, g = kept
    z, r = tf.split(zr, 2, -1)
    k = (1 - z) * (1 - g * g)
    k_TBF = tf.concat([(before_TBH - g) * z * (1 - z), k * q * r * (1 - r), k * r], -1)

    def step(dh: Tensor, dy: Tensor, z: Tensor, k_BF: Tensor) -> Any:
        dh = dh + dy
        da = tf.concat([dh, dh, dh], 1) * k_BF
        return dh * z + tf.matmul(da, U_HF, transpose_b=True), da, dh

    H, F = U_HF.shape
    dfirst, (da, dh) = _loop_back(step, tf.zeros_like(before_TBH[0]), [dy_TBH, z, k_TBF], [F, H])
    return tf.concat([da[..., : 2 * H], dh * k], -1), da, dfirst


_CELLS = {
    keras.layers.SimpleRNN: (_simple_forward, _simple_backward),
    keras.layers.GRU: (_gru_forward, _gru_backward),
}
