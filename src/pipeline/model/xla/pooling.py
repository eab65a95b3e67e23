"""Keras' pooling, written so that XLA computes it well on a CPU; layers and formulas are the same.

Shapes: B rows, *S positions (one or two axes), C channels.
"""

import functools
import itertools
import math

import keras
import tensorflow as tf
from tensorflow import Tensor

from pipeline.model.xla.arrays import Differentiable, zero_after
from pipeline.model.xla.means import mean_of_rows
from pipeline.model.xla.settings import unusual_setting


def speed_up(layer: keras.Layer) -> None:
    """Let max pooling over tiles and the mean over all positions compute by the fast path; other layers stay as they
    are.

    The layer's class, configuration and weights do not change, so the file to which it is saved does not change either.
    """
    if type(layer) in (keras.layers.MaxPooling1D, keras.layers.MaxPooling2D) and not why_slow(layer):
        layer.call = lambda x: _pool(layer, x)
    elif type(layer) in (keras.layers.GlobalAveragePooling1D, keras.layers.GlobalAveragePooling2D):
        if layer.data_format != "channels_last":
            return
        usual = layer.call

        def mean(x_BSC: Tensor, **masked: Tensor | None) -> Tensor:
            if layer.keepdims or masked.get("mask") is not None or None in x_BSC.shape[1:]:
                return usual(x_BSC, **masked)
            return mean_of_rows(tf.reshape(x_BSC, [-1, math.prod(x_BSC.shape[1:-1]), x_BSC.shape[-1]]))

        layer.call = mean


def why_slow(layer: keras.Layer, _: int = 0) -> str | None:
    """What keeps max pooling from the fast path, or None."""
    usual = {"strides": layer.pool_size, "padding": "valid", "data_format": "channels_last"}
    return unusual_setting(layer, usual)


def _pool(layer: keras.Layer, x_BSC: Tensor) -> Tensor:
    """The maximum of each tile.

    Where several places of a tile have the maximum, each gets an equal share of the gradient, while TensorFlow's kernel
    gives all of it to the first. Both are subgradients of the same function. Behind a ReLU most equal maxima are zeros,
    through which no gradient passes. Where the first number of the batch is not finite, all maxima are NaN.
    """
    sizes = [(size // pool, pool) for size, pool in zip(x_BSC.shape[1:-1], layer.pool_size, strict=True)]
    whole = x_BSC[(slice(None), *(slice(0, count * pool) for count, pool in sizes))]
    # The axes are B, then for each axis the tiles and the places in a tile, and then C.
    apart = [-1, *itertools.chain(*sizes), whole.shape[-1]]
    one_a_tile = [-1, *itertools.chain(*((count, 1) for count, _ in sizes)), whole.shape[-1]]
    offsets = itertools.product(*(range(pool) for _, pool in sizes))
    windows = [(slice(None), *itertools.chain(*((slice(None), at) for at in offset))) for offset in offsets]

    # tf.reduce_max would give the same, but XLA makes no vector code of it, and computes what comes after its gradient
    # (here that of a convolution) anew for each place of a tile. The division in the gradient below keeps the two
    # apart.
    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def largest_of_tiles(whole: Tensor) -> Differentiable:
        tiles = tf.reshape(whole, apart)
        places = [tiles[window] for window in windows]
        # This division keeps XLA from finding the maximum anew in the patches of the next convolution and in the
        # gradient.
        largest = functools.reduce(tf.maximum, places) / (1 + zero_after(whole))

        def gradient(dy_BSC: Tensor) -> Tensor:
            count = functools.reduce(tf.add, [tf.cast(place == largest, dy_BSC.dtype) for place in places])
            share, reached = (tf.reshape(x, one_a_tile) for x in (dy_BSC / count, largest))
            return tf.reshape(tf.where(tiles == reached, share, tf.zeros([], share.dtype)), tf.shape(whole))

        return largest, gradient

    return largest_of_tiles(whole)
