"""The fast path of pooling against Keras' own: outputs, gradients, and what it leaves alone."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from pipeline.model.xla.pooling import speed_up
from tests.unit.model.xla.against_keras import SHAPES, assert_same

MAX = {1: keras.layers.MaxPooling1D, 2: keras.layers.MaxPooling2D}
MEAN = {1: keras.layers.GlobalAveragePooling1D, 2: keras.layers.GlobalAveragePooling2D}


@pytest.mark.parametrize("rank", [1, 2])
@pytest.mark.parametrize("size", [2, 3])
def test_max_pooling_is_keras(rank: int, size: int) -> None:
    assert_same(speed_up, lambda: MAX[rank](size), SHAPES[rank])


@pytest.mark.parametrize("shape", [(9, 3), (8, 3), (9, 6, 3), (4, 4, 3), (1, 1, 3)], ids=str)
def test_the_mean_over_positions_is_keras(shape: tuple[int, ...]) -> None:
    assert_same(speed_up, MEAN[len(shape) - 1], shape)


def test_a_masked_mean_is_keras() -> None:
    layer = keras.layers.GlobalAveragePooling1D()
    speed_up(layer)
    x = tf.constant([[[1.0], [2.0], [9.0]]])
    np.testing.assert_allclose(layer(x, mask=tf.constant([[True, True, False]])), [[1.5]])


def test_equal_maxima_share_the_gradient() -> None:
    layer = MAX[2](2)
    speed_up(layer)
    x = tf.constant([[[[1.0], [3.0]], [[3.0], [3.0]]]])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = 6 * layer(x)
    np.testing.assert_allclose(tape.gradient(y, x)[0, ..., 0], [[0, 2], [2, 2]])


def test_what_is_not_plain_stays() -> None:
    layers = [
        keras.layers.MaxPooling2D(2, strides=1),
        keras.layers.MaxPooling2D(2, padding="same"),
        keras.layers.AveragePooling2D(2),
        keras.layers.GlobalMaxPooling2D(),
        keras.layers.Dense(3),
    ]
    for layer in layers:
        speed_up(layer)
        assert "call" not in vars(layer)
