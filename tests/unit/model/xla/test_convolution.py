"""The fast path of convolutions against Keras' own: outputs, gradients, and what it leaves alone."""

import functools
from typing import Any

import keras
import pytest
import tensorflow as tf

from pipeline.model.xla import convolution, winograd
from pipeline.model.xla.convolution import speed_up, suits
from tests.unit.model.xla.against_keras import SHAPES, assert_same

CONV = {1: keras.layers.Conv1D, 2: keras.layers.Conv2D}


@pytest.mark.parametrize("rank", [1, 2])
@pytest.mark.parametrize("kernel", [1, 2, 3, 4])
@pytest.mark.parametrize("bias", [False, True])
def test_convolution_is_keras(rank: int, kernel: int, bias: bool) -> None:
    assert_same(speed_up, lambda: CONV[rank](5, kernel, padding="same", use_bias=bias, activation="tanh"), SHAPES[rank])


@pytest.mark.parametrize("shape", [(1, 2, 3), (2, 1, 3), (5, 2, 3)], ids=str)
@pytest.mark.parametrize("kernel", [5, (7, 2), (2, 7)], ids=str)
def test_a_kernel_larger_than_the_image(kernel: Any, shape: tuple[int, ...]) -> None:
    assert_same(speed_up, lambda: CONV[2](5, kernel, padding="same"), shape)


@pytest.mark.parametrize("shape", [(8, 8), (4, 7), (5, 2), (1, 3), (2, 1), (1, 1)], ids=str)
@pytest.mark.parametrize(("channels", "filters"), [(3, 5), (32, 50)])
def test_winograd_is_keras(
    shape: tuple[int, int], channels: int, filters: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(convolution, "_way", lambda layer, shape: winograd.convolve)
    make = functools.partial(keras.layers.Conv2D, filters, 3, padding="same", activation="tanh")
    assert_same(speed_up, make, (*shape, channels))


@pytest.mark.parametrize(
    ("settings", "shape", "way"),
    [
        ({}, (32, 8, 8, 32), winograd.convolve),
        ({}, (32, 8, 8, 31), convolution._by_patches),
        ({"filters": 16}, (32, 8, 8, 32), winograd.convolve),
        ({"filters": 15}, (32, 8, 8, 32), convolution._by_patches),
        ({"kernel_size": 5}, (32, 8, 8, 32), convolution._by_patches),
        ({"dtype": "mixed_bfloat16"}, (32, 8, 8, 32), convolution._by_patches),
        ({}, (32, 5, 5, 32), winograd.convolve),
        ({}, (32, 3, 3, 32), convolution._by_patches),
        ({}, (32, 1, 64, 32), convolution._by_patches),
        ({}, (9, 28, 28, 16), convolution._by_patches),  # 4 MB of patches and a bit less
        ({}, (10, 28, 28, 16), winograd.convolve),
        ({}, (64, 32, 32, 15), None),
        ({}, (128, 32, 32, 64), winograd.convolve),
        ({}, (129, 32, 32, 64), None),
        ({"filters": 512}, (32, 32, 32, 32), None),
        ({}, (None, 8, 8, 32), winograd.convolve),
    ],
)
def test_which_way_a_convolution_goes(settings: dict[str, Any], shape: tuple[int, ...], way: Any) -> None:
    layer = keras.layers.Conv2D(**({"filters": 64, "kernel_size": 3, "padding": "same"} | settings))
    assert convolution._way(layer, shape) is way


def test_a_sequence_goes_by_patches() -> None:
    assert convolution._way(keras.layers.Conv1D(64, 3, padding="same"), (32, 64, 64)) is convolution._by_patches


def test_what_is_not_plain_stays() -> None:
    layers = [
        keras.layers.Conv2D(4, 3, padding="valid"),
        keras.layers.Conv2D(4, 3, padding="same", strides=2),
        keras.layers.Conv2D(4, 3, padding="same", dilation_rate=2),
        keras.layers.Dense(3),
    ]
    for layer in layers:
        speed_up(layer)
        assert "call" not in vars(layer)


def test_patches_that_take_too_much_memory_are_not_made(monkeypatch: pytest.MonkeyPatch) -> None:
    inputs = keras.Input((8, 8, 2))
    core = keras.Model(inputs, keras.layers.Conv2D(4, 3, padding="same")(inputs))
    row = 4 * 8 * 8 * 2 * 9
    monkeypatch.setattr(convolution, "MOST_PATCH_BYTES", 32 * row)
    assert suits(core, 32)
    assert not suits(core, 33)
    strided = keras.Model(inputs, keras.layers.Conv2D(4, 3, padding="same", strides=2)(inputs))
    assert not suits(strided, 32)
    speed_up(core.layers[1])
    made: list[int] = []
    monkeypatch.setattr(convolution, "_convolve", lambda layer, x, way: made.append(len(x)))
    core.layers[1].call(tf.zeros((32, 8, 8, 2)))
    assert core.layers[1].call(tf.zeros((33, 8, 8, 2))).shape == (33, 8, 8, 4)
    assert made == [32]
