"""Keras' recurrent layers as XLA computes them well on a CPU: the same layers and formulas, in another order.

Keras' own loop multiplies inputs and weights anew at every time step, and its gradient does so three times more. Here
only what must wait for the step before is in a loop, which XLA fuses; the input projection and the weight gradients
are one matrix product each over all steps (Appleyard et al. 2016, "Optimizing Performance of Recurrent Neural
Networks on GPUs").

Shapes: B rows, T steps, C features, H units; F = H for SimpleRNN, 3H (z, r, g) for GRU, 4H (i, f, g, o) for LSTM.
A layer's states are [h], and [h, c] for LSTM.
"""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf

from pipeline.model.xla.means import sum_of_rows

Tensor = Any
States = Sequence[Any]


def speed_up(layer: keras.layers.Layer) -> None:
    """Let a recurrent layer, or a Bidirectional of one, compute by the fast path; all else stays as it is.

    The layer's class, configuration and weights do not change, hence neither does the file it is saved to.
    """
    if isinstance(layer, keras.layers.Bidirectional):
        speed_up(layer.forward_layer)
        speed_up(layer.backward_layer)
    elif type(layer) in _CELLS and _is_plain(layer.cell):
        usual = layer.inner_loop

        def inner_loop(sequences: Tensor, initial_state: Any, mask: Any, training: Any = False) -> tuple[Any, Any, Any]:
            masked = any(m is not None for m in tf.nest.flatten([mask]))
            if masked or None in sequences.shape[1:]:
                outputs: tuple[Any, Any, Any] = usual(sequences, initial_state, mask, training=training)
                return outputs
            h_TBH, *others = _run(layer, sequences, tf.nest.flatten(initial_state))
            last = [h_TBH[-1], *others]
            return last[0], tf.transpose(h_TBH, [1, 0, 2]), last

        layer.inner_loop = inner_loop


def _is_plain(cell: Any) -> bool:
    sigmoid = keras.activations.sigmoid
    gates = getattr(cell, "recurrent_activation", sigmoid) is sigmoid and getattr(cell, "reset_after", True)
    usual = gates and cell.activation is keras.activations.tanh and cell.compute_dtype == "float32"
    return bool(usual and not cell.dropout and not cell.recurrent_dropout)


def _run(layer: Any, x_BTC: Tensor, first: States) -> States:
    """h after every step (T, B, H), in the order of processing, and the other states after the last (B, H); `first`:
    all states before the first step."""
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
    def run(x_TBC: Tensor, W_CF: Tensor, U_HF: Tensor, b_F: Tensor, late_H: Tensor, *first: Tensor) -> Any:
        p = tf.nn.bias_add(tf.matmul(_flat(x_TBC), W_CF), b_F)
        p_TBF = tf.reshape(p, [x_TBC.shape[0], -1, W_CF.shape[1]])
        h_TBH, others, kept = forward(p_TBF, U_HF, late_H, first)

        def gradient(dh_TBH: Tensor, *dothers: Tensor) -> Any:
            h_before = _before(first[0], h_TBH)
            dp, da, dfirst = backward(dh_TBH, dothers, [h_before, *first[1:]], kept, U_HF)
            dp, da = _flat(dp), _flat(da)
            dx = tf.reshape(tf.matmul(dp, W_CF, transpose_b=True), tf.shape(x_TBC))
            dW, dU = (tf.matmul(_flat(i), d, transpose_a=True) for i, d in ((x_TBC, dp), (h_before, da)))
            return dx, dW, dU, sum_of_rows(dp), sum_of_rows(da[:, -H:]), *dfirst

        return (h_TBH, *others), gradient

    return list(run(x_TBC, W_CF, U_HF, b, late_H, *first))


def _flat(x_TBF: Tensor) -> Tensor:
    return tf.reshape(x_TBF, [-1, x_TBF.shape[-1]])


def _before(first: Tensor, x_TBH: Tensor) -> Tensor:
    """A state before every step, from that before the first (B, H) and those after each (T, B, H)."""
    return tf.concat([first[tf.newaxis], x_TBH[:-1]], 0)


def _loop(
    step: Callable[..., Any],
    states: States,
    inputs: Sequence[Tensor],
    new_sizes: Sequence[int] = (),
    back: bool = False,
) -> Any:
    """`step(states, *inputs of t) -> states, *outputs of t` over (T, B, _), `back`: from the last t to the first.

    Returns the last states and all arrays (T, B, _): new ones of `new_sizes`, then `inputs`. Output k is written over
    array k, whose width it has, after the step has read it: an array of its own XLA would fill with zeros first.
    """
    T, rows = inputs[0].shape[0], states[0].shape[0]
    arrays = [tf.TensorArray(tf.float32, T, element_shape=[rows, size]) for size in new_sizes]
    arrays += [tf.TensorArray(tf.float32, T).unstack(i) for i in inputs]

    def body(n: Tensor, states: Any, arrays: Any) -> Any:
        t = T - 1 - n if back else n
        states, *values = step(states, *(a.read(t) for a in arrays[len(new_sizes) :]))
        written = [a.write(t, v) for a, v in zip(arrays[: len(values)], values, strict=True)]
        return n + 1, states, [*written, *arrays[len(written) :]]

    # maximum_iterations would be a second condition, and XLA would no longer see how often the loop runs
    _, states, arrays = tf.while_loop(lambda n, *_: n < T, body, (0, list(states), arrays))
    return states, [a.stack() for a in arrays]


def _transposed(U_HF: Tensor) -> Tensor:
    """(F, H), the same numbers where all are finite. tf.transpose would be left to the product of each time step, which
    takes longer by it."""
    return tf.matmul(U_HF, tf.eye(U_HF.shape[0]), transpose_a=True)


# A forward returns h after every step, the other states after the last, and what its backward needs; a backward gets
# their gradients, h before every step and the other states before the first, and returns the gradients of p, of
# a = h U, and of the first states. It multiplies by factors k that are known before its loop: da = dh * k. V is U
# transposed.


def _simple_forward(p_TBH: Tensor, U_HH: Tensor, _: Tensor, first: States) -> Any:
    def step(states: States, p: Tensor) -> Any:
        h = tf.tanh(p + tf.matmul(states[0], U_HH))
        return [h], h

    (h_TBH,) = _loop(step, first, [p_TBH])[1]
    return h_TBH, [], h_TBH


def _simple_backward(dh_TBH: Tensor, _: States, before: States, h_TBH: Tensor, U_HH: Tensor) -> Any:
    def step(dstates: States, dy: Tensor, k: Tensor) -> Any:
        dp = (dstates[0] + dy) * k
        return [tf.matmul(dp, V_HH)], dp

    V_HH, k_TBH = _transposed(U_HH), 1 - h_TBH * h_TBH
    dfirst, (dp, _) = _loop(step, [tf.zeros_like(h_TBH[0])], [dh_TBH, k_TBH], back=True)
    return dp, dp, dfirst


def _gru_forward(p_TBF: Tensor, U_HF: Tensor, late_H: Tensor, first: States) -> Any:
    H = U_HF.shape[0]

    def step(states: States, p: Tensor) -> Any:
        h = states[0]
        a = tf.matmul(h, U_HF)
        zr = tf.sigmoid(p[:, : 2 * H] + a[:, : 2 * H])
        q = a[:, 2 * H :] + late_H
        g = tf.tanh(p[:, 2 * H :] + zr[:, H:] * q)
        h = g + zr[:, :H] * (h - g)
        return [h], h, q, tf.concat([zr, g], 1)

    h_TBH, *kept = _loop(step, first, [p_TBF], [H, H])[1]
    return h_TBH, [], kept


def _gru_backward(dh_TBH: Tensor, _: States, before: States, kept: States, U_HF: Tensor) -> Any:
    q, zrg_TBF = kept
    z, r, g = tf.split(zrg_TBF, 3, -1)
    k = (1 - z) * (1 - g * g)
    k_TBF = tf.concat([(before[0] - g) * z * (1 - z), k * q * r * (1 - r), k * r], -1)

    H, V_FH = U_HF.shape[0], _transposed(U_HF)

    def step(dstates: States, k_BF: Tensor, dy: Tensor, zrg: Tensor) -> Any:
        dh = dstates[0] + dy
        da = tf.concat([dh, dh, dh], 1) * k_BF
        return [dh * zrg[:, :H] + tf.matmul(da, V_FH)], da, dh

    dfirst, (da, dh, _) = _loop(step, [tf.zeros_like(g[0])], [k_TBF, dh_TBH, zrg_TBF], back=True)
    return tf.concat([da[..., : 2 * H], dh * k], -1), da, dfirst


def _lstm_forward(p_TBF: Tensor, U_HF: Tensor, _: Tensor, first: States) -> Any:
    H = U_HF.shape[0]
    # all gates in one kernel, as sigmoid(a) = tanh(a / 2) / 2 + 1 / 2
    scale_F = tf.repeat([0.5, 1.0, 0.5], [2 * H, H, H])

    def step(states: States, p: Tensor) -> Any:
        h, c = states
        gates = tf.tanh((p + tf.matmul(h, U_HF)) * scale_F) * scale_F + (1 - scale_F)
        i, f, g, o = tf.split(gates, 4, -1)
        c = f * c + i * g
        return [o * tf.tanh(c), c], c, gates

    c_TBH, gates_TBF = _loop(step, first, [p_TBF], [H])[1]
    tanh_c = tf.tanh(c_TBH)
    return gates_TBF[..., 3 * H :] * tanh_c, [c_TBH[-1]], [gates_TBF, c_TBH, tanh_c]


def _lstm_backward(dh_TBH: Tensor, dothers: States, before: States, kept: States, U_HF: Tensor) -> Any:
    gates_TBF, c_TBH, tanh_c = kept
    i, f, g, o = tf.split(gates_TBF, 4, -1)
    c_before = _before(before[1], c_TBH)
    k_TBF = tf.concat([g * i * (1 - i), c_before * f * (1 - f), i * (1 - g * g), tanh_c * o * (1 - o)], -1)
    through_h = o * (1 - tanh_c * tanh_c)

    H, V_FH = U_HF.shape[0], _transposed(U_HF)

    def step(later: States, k_BF: Tensor, dh: Tensor, through_h: Tensor, gates: Tensor) -> Any:
        dh = later[0] + dh
        dc = later[1] + dh * through_h
        da = tf.concat([dc, dc, dc, dh], 1) * k_BF
        return [tf.matmul(da, V_FH), dc * gates[:, H : 2 * H]], da

    last = [tf.zeros_like(dothers[0]), dothers[0]]
    dfirst, (da, *_) = _loop(step, last, [k_TBF, dh_TBH, through_h, gates_TBF], back=True)
    return da, da, dfirst


_CELLS = {
    keras.layers.SimpleRNN: (_simple_forward, _simple_backward),
    keras.layers.GRU: (_gru_forward, _gru_backward),
    keras.layers.LSTM: (_lstm_forward, _lstm_backward),
}
