"""Keras' dropout in integer operations: under XLA, too, it drops what Keras' own layer drops."""

import math

import keras
import tensorflow as tf
from tensorflow import Tensor

from pipeline.model.xla.philox import random_words

# TensorFlow makes a number of [0, 1) of a word's lowest bits, as many as the type has bits behind the point
FRACTION_BITS = {"float32": 23, "bfloat16": 7}


def speed_up(layer: keras.Layer) -> None:
    """Let a dropout layer draw Keras' numbers in integer operations; all else stays as it is.

    The layer's class, configuration and weights do not change, hence neither does the file it is saved to.
    """
    if type(layer) is not keras.layers.Dropout or not 0 < layer.rate < 1 or why_slow(layer):
        return

    def call(inputs: Tensor, training: bool = False) -> Tensor:
        if not training:
            return inputs
        drawn = uniform(tf.shape(inputs), _seed_of(layer), layer.compute_dtype)
        # 1 for what is kept, else 0. XLA keeps the result of a division in memory; it would draw the numbers anew for
        # each of the patches of a convolution behind this layer, and in the gradient.
        kept = 1 / tf.where(drawn >= layer.rate, 1.0, math.inf)
        return tf.where(kept > 0, inputs * (1 / (1 - layer.rate)), tf.zeros([], inputs.dtype))

    layer.call = call


def why_slow(layer: keras.Layer, _: int = 0) -> str | None:
    """What keeps a dropout layer from the fast form, or None."""
    if layer.noise_shape is not None:
        return "has a noise_shape"
    return None if layer.compute_dtype in FRACTION_BITS else f"computes in {layer.compute_dtype}"


def uniform(shape: Tensor, seed: Tensor, dtype: str) -> Tensor:
    """The numbers of `tf.random.stateless_uniform`, in [0, 1)."""
    bits = FRACTION_BITS[dtype]
    fraction = tf.bitwise.bitwise_and(random_words(tf.reduce_prod(shape), seed), tf.constant(2**bits - 1, tf.uint64))
    return tf.reshape(tf.cast(tf.cast(fraction, tf.int32), dtype) * 2.0**-bits, shape)


def _seed_of(layer: keras.Layer) -> Tensor:
    """The next seed (2,), as Keras hands it to TensorFlow."""
    return tf.cast(tf.math.floormod(layer.seed_generator.next(), tf.int32.max - 1), tf.int32)
