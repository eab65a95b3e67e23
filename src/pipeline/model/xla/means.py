"""Means and sums over many rows, in an order of which XLA makes vector code on a CPU."""

import tensorflow as tf
from tensorflow import Tensor

NEIGHBOURS = (4, 2)  # 4 was measured to be fastest; 2 is for numbers of rows that 4 does not divide


def mean_of_rows(x_NC: Tensor) -> Tensor:
    """The mean (C,) of (N, C), or (B, C) of (B, N, C).

    It takes the mean of neighbouring rows first, and then the mean of those means. If all rows were in one loop, XLA
    would add number by number, and each addition would wait for the one before.
    """
    *before, rows, size = x_NC.shape
    for count in NEIGHBOURS:
        if rows is not None and rows % count == 0:
            neighbours = tf.reshape(x_NC, [*(-1 for _ in before), rows // count, count, size])
            return tf.reduce_mean(tf.reduce_mean(neighbours, -2), -2)
    return tf.reduce_mean(x_NC, -2)


def sum_of_rows(x_NC: Tensor) -> Tensor:
    """The sum (C,) of (N, C), made from the mean: XLA would turn a sum of sums into one sum, but not a mean of
    means."""
    return mean_of_rows(x_NC) * tf.cast(tf.shape(x_NC)[0], x_NC.dtype)
