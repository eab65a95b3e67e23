"""Keras' dropout in integer operations, so that under XLA it drops the same numbers as Keras' own layer without XLA."""

import math

import keras
import tensorflow as tf
from tensorflow import Tensor

from pipeline.model.xla.philox import random_words

# TensorFlow makes a number in [0, 1) from the lowest bits of a word: as many as the type's significand has after the
# point.
FRACTION_BITS = {"float32": 23, "bfloat16": 7}


def speed_up(layer: keras.Layer) -> None:
    """Let a dropout layer draw Keras' numbers in integer operations; other layers stay as they are.

    The layer's class, configuration and weights do not change, so the file to which it is saved does not change either.
    """
    if type(layer) is not keras.layers.Dropout or not 0 < layer.rate < 1 or why_slow(layer):
        return

    def call(inputs: Tensor, training: bool = False) -> Tensor:
        if not training:
            return inputs
        drawn = uniform(tf.shape(inputs), _seed_of(layer), layer.compute_dtype)
        # This is 1 for what is kept, and 0 otherwise. It is a division because XLA keeps the result of a division in
        # memory. Otherwise it would draw the numbers anew for each of the patches of a convolution behind this layer,
        # and once more in the gradient.
        kept = 1 / tf.where(drawn >= layer.rate, 1.0, math.inf)
        return tf.where(kept > 0, inputs * (1 / (1 - layer.rate)), tf.zeros([], inputs.dtype))

    layer.call = call


def why_slow(layer: keras.Layer, _: int = 0) -> str | None:
    """What keeps a dropout layer from the fast form, or None."""
    if layer.noise_shape is not None:
        return "has a noise_shape"
    return None if layer.compute_dtype in FRACTION_BITS else f"computes in {layer.compute_dtype}"


def uniform(shape: Tensor, seed: Tensor, dtype: str) -> Tensor:
    """The numbers in [0, 1) that `tf.random.stateless_uniform` draws."""
    bits = FRACTION_BITS[dtype]
    fraction = tf.bitwise.bitwise_and(random_words(tf.reduce_prod(shape), seed), tf.constant(2**bits - 1, tf.uint64))
    return tf.reshape(tf.cast(tf.cast(fraction, tf.int32), dtype) * 2.0**-bits, shape)


def _seed_of(layer: keras.Layer) -> Tensor:
    """The layer's next seed (2,), as Keras passes it to TensorFlow."""
    return tf.cast(tf.math.floormod(layer.seed_generator.next(), tf.int32.max - 1), tf.int32)
