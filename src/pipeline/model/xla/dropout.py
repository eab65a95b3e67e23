"""Keras' dropout with random numbers that XLA computes well on a CPU.

What TensorFlow chooses under XLA takes a hundred times longer than Threefry (Salmon et al. 2011, "Parallel Random
Numbers: As Easy as 1, 2, 3"), which outside of XLA TensorFlow does not have on a CPU.
"""

from typing import Any

import keras
import tensorflow as tf


def speed_up(layer: keras.layers.Layer) -> None:
    """Let a dropout layer draw by Threefry, from the same seed state; all else stays as it is."""
    if type(layer) is not keras.layers.Dropout or layer.noise_shape is not None or not layer.rate:
        return

    def call(inputs: Any, training: Any = False) -> Any:
        if not training:
            return inputs
        seed = tf.cast(layer.seed_generator.next(), tf.int32)
        drawn = tf.random.stateless_uniform(tf.shape(inputs), seed, alg="threefry")
        return tf.where(drawn >= layer.rate, inputs / (1 - layer.rate), tf.zeros([], inputs.dtype))

    layer.call = call
