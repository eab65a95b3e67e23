"""Small operations on arrays, written so that XLA computes them well on a CPU."""

from collections.abc import Callable

import tensorflow as tf
from tensorflow import Tensor

# What a function under `tf.custom_gradient` returns: its outputs, and the function that maps the gradients of these to
# the gradients of its inputs.
Differentiable = tuple[Tensor | tuple[Tensor, ...], Callable[..., Tensor | tuple[Tensor, ...]]]


def flat(x: Tensor) -> Tensor:
    """Reshape (..., C) to (N, C)."""
    return tf.reshape(x, [-1, x.shape[-1]])


def transposed(x_NC: Tensor) -> Tensor:
    """Transpose to (C, N) by a product with the smaller identity matrix. The numbers are the same where all are finite.

    XLA would fuse tf.transpose into the product that reads its result, and slow that product down; in a loop it would
    do so at each step.
    """
    rows, columns = x_NC.shape
    if rows is not None and rows <= columns:
        return tf.matmul(x_NC, tf.eye(rows, dtype=x_NC.dtype), transpose_a=True)
    return tf.matmul(tf.eye(columns, dtype=x_NC.dtype), x_NC, transpose_b=True)


def zero_after(value: Tensor) -> Tensor:
    """0, or NaN where the value's first number is not finite.

    XLA does not fold this into a constant, so whatever adds it waits until the value is computed.
    """
    return 0 * tf.reshape(value, [-1])[0]


def neighbours(x: Tensor, axis: int, distance: int) -> Tensor:
    """For each place, its neighbour at this distance along an axis; zero where there is none."""
    size = x.shape[axis]
    distance = max(-size, min(size, distance))
    kept, padding = [slice(None)] * len(x.shape), [[0, 0]] * len(x.shape)
    kept[axis] = slice(max(distance, 0), size + min(distance, 0))
    padding[axis] = [max(-distance, 0), max(distance, 0)]
    return tf.pad(x[tuple(kept)], padding)
