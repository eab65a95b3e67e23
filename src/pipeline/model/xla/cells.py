"""What recurrent cells compute step by step, forward and backward, for recurrence.py. The formulas are Keras'.

Shapes: B rows, T steps, H units; F = H for SimpleRNN, 3H (z, r, g) for GRU, 4H (i, f, g, o) for LSTM.
"""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf
from tensorflow import Tensor

from pipeline.model.xla.arrays import transposed

States = Sequence[Tensor]
Gradients = tuple[Tensor, Tensor, States]  # of p, of a = h U, and of the first states


def before_each(first: Tensor, x_TBH: Tensor) -> Tensor:
    """A state before every step (T, B, H), made from the state before the first (B, H) and those after each step."""
    return tf.concat([first[tf.newaxis], x_TBH[:-1]], 0)


def _loop(
    step: Callable[..., tuple[Any, ...]],
    states: States,
    inputs: Sequence[Tensor],
    new_sizes: Sequence[int] = (),
    back: bool = False,
) -> tuple[States, list[Tensor]]:
    """Run `step(states, *inputs of t) -> states, *outputs of t` over inputs (T, B, _).

    With `back`, it runs from the last t to the first. Returns the last states and all arrays (T, B, _): first new ones
    of the widths `new_sizes`, then `inputs`. Output k is written over array k, which has the same width, after the step
    has read it, because XLA would first fill an array of its own with zeros.
    """
    T, rows = inputs[0].shape[0], states[0].shape[0]
    arrays = [tf.TensorArray(tf.float32, T, element_shape=[rows, size]) for size in new_sizes]
    arrays += [tf.TensorArray(tf.float32, T).unstack(i) for i in inputs]

    def body(n: Tensor, states: States, arrays: list[tf.TensorArray]) -> tuple[Tensor, States, list[tf.TensorArray]]:
        t = T - 1 - n if back else n
        states, *values = step(states, *(a.read(t) for a in arrays[len(new_sizes) :]))
        written = [a.write(t, v) for a, v in zip(arrays[: len(values)], values, strict=True)]
        return n + 1, states, [*written, *arrays[len(written) :]]

    # `maximum_iterations` is not used: it would be a second condition, and XLA could not see how often the loop runs.
    _, states, arrays = tf.while_loop(lambda n, *_: n < T, body, (0, list(states), arrays))
    return states, [a.stack() for a in arrays]


# A forward function returns h after every step, the other states after the last step, and what its backward function
# needs. A backward function gets the gradients of h and of the other states, h before every step, and the other states
# before the first. It returns the gradients of p, of a = h U, and of the first states. In its loop it multiplies by
# factors k that are known before the loop: da = dh * k. V is U transposed.


def _simple_forward(p_TBH: Tensor, U_HH: Tensor, _: Tensor, first: States) -> tuple[Tensor, States, Tensor]:
    def step(states: States, p: Tensor) -> tuple[States, Tensor]:
        h = tf.tanh(p + tf.matmul(states[0], U_HH))
        return [h], h

    (h_TBH,) = _loop(step, first, [p_TBH])[1]
    return h_TBH, [], h_TBH


def _simple_backward(dh_TBH: Tensor, _: States, before: States, h_TBH: Tensor, U_HH: Tensor) -> Gradients:
    def step(dstates: States, dy: Tensor, k: Tensor) -> tuple[States, Tensor]:
        dp = (dstates[0] + dy) * k
        return [tf.matmul(dp, V_HH)], dp

    V_HH, k_TBH = transposed(U_HH), 1 - h_TBH * h_TBH
    dfirst, (dp, _) = _loop(step, [tf.zeros_like(h_TBH[0])], [dh_TBH, k_TBH], back=True)
    return dp, dp, dfirst


def _gru_forward(p_TBF: Tensor, U_HF: Tensor, late_H: Tensor, first: States) -> tuple[Tensor, States, Sequence[Tensor]]:
    H = U_HF.shape[0]

    def step(states: States, p: Tensor) -> tuple[States, Tensor, Tensor, Tensor]:
        h = states[0]
        a = tf.matmul(h, U_HF)
        zr = tf.sigmoid(p[:, : 2 * H] + a[:, : 2 * H])
        q = a[:, 2 * H :] + late_H
        g = tf.tanh(p[:, 2 * H :] + zr[:, H:] * q)
        h = g + zr[:, :H] * (h - g)
        return [h], h, q, tf.concat([zr, g], 1)

    h_TBH, *kept = _loop(step, first, [p_TBF], [H, H])[1]
    return h_TBH, [], kept


def _gru_backward(dh_TBH: Tensor, _: States, before: States, kept: Sequence[Tensor], U_HF: Tensor) -> Gradients:
    q, zrg_TBF = kept
    z, r, g = tf.split(zrg_TBF, 3, -1)
    k = (1 - z) * (1 - g * g)
    k_TBF = tf.concat([(before[0] - g) * z * (1 - z), k * q * r * (1 - r), k * r], -1)

    H, V_FH = U_HF.shape[0], transposed(U_HF)

    def step(dstates: States, k_BF: Tensor, dy: Tensor, zrg: Tensor) -> tuple[States, Tensor, Tensor]:
        dh = dstates[0] + dy
        da = tf.concat([dh, dh, dh], 1) * k_BF
        return [dh * zrg[:, :H] + tf.matmul(da, V_FH)], da, dh

    dfirst, (da, dh, _) = _loop(step, [tf.zeros_like(g[0])], [k_TBF, dh_TBH, zrg_TBF], back=True)
    return tf.concat([da[..., : 2 * H], dh * k], -1), da, dfirst


def _lstm_forward(p_TBF: Tensor, U_HF: Tensor, _: Tensor, first: States) -> tuple[Tensor, States, Sequence[Tensor]]:
    H = U_HF.shape[0]
    # All gates are computed in one kernel, because sigmoid(a) = tanh(a / 2) / 2 + 1 / 2.
    scale_F = tf.repeat([0.5, 1.0, 0.5], [2 * H, H, H])

    def step(states: States, p: Tensor) -> tuple[States, Tensor, Tensor]:
        h, c = states
        gates = tf.tanh((p + tf.matmul(h, U_HF)) * scale_F) * scale_F + (1 - scale_F)
        i, f, g, o = tf.split(gates, 4, -1)
        c = f * c + i * g
        return [o * tf.tanh(c), c], c, gates

    c_TBH, gates_TBF = _loop(step, first, [p_TBF], [H])[1]
    tanh_c = tf.tanh(c_TBH)
    return gates_TBF[..., 3 * H :] * tanh_c, [c_TBH[-1]], [gates_TBF, c_TBH, tanh_c]


def _lstm_backward(dh_TBH: Tensor, dothers: States, before: States, kept: Sequence[Tensor], U_HF: Tensor) -> Gradients:
    gates_TBF, c_TBH, tanh_c = kept
    i, f, g, o = tf.split(gates_TBF, 4, -1)
    c_before = before_each(before[1], c_TBH)
    k_TBF = tf.concat([g * i * (1 - i), c_before * f * (1 - f), i * (1 - g * g), tanh_c * o * (1 - o)], -1)
    through_h = o * (1 - tanh_c * tanh_c)

    H, V_FH = U_HF.shape[0], transposed(U_HF)

    def step(later: States, k_BF: Tensor, dh: Tensor, through_h: Tensor, gates: Tensor) -> tuple[States, Tensor]:
        dh = later[0] + dh
        dc = later[1] + dh * through_h
        da = tf.concat([dc, dc, dc, dh], 1) * k_BF
        return [tf.matmul(da, V_FH), dc * gates[:, H : 2 * H]], da

    last = [tf.zeros_like(dothers[0]), dothers[0]]
    dfirst, (da, *_) = _loop(step, last, [k_TBF, dh_TBH, through_h, gates_TBF], back=True)
    return da, da, dfirst


CELLS = {
    keras.layers.SimpleRNN: (_simple_forward, _simple_backward),
    keras.layers.GRU: (_gru_forward, _gru_backward),
    keras.layers.LSTM: (_lstm_forward, _lstm_backward),
}
