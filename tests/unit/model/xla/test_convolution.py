"""The fast path of convolutions against Keras' own: outputs, gradients, and what it leaves alone."""

from typing import Any

import keras
import pytest
import tensorflow as tf

from pipeline.model.xla import convolution
from pipeline.model.xla.convolution import speed_up, why_slow
from tests.unit.model.xla.against_keras import SHAPES, assert_same

CONV = {1: keras.layers.Conv1D, 2: keras.layers.Conv2D}


@pytest.mark.parametrize("rank", [1, 2])
@pytest.mark.parametrize("kernel", [1, 2, 3, 4])
def test_convolution_is_keras(rank: int, kernel: int) -> None:
    bias = (rank == 2) == (kernel > 2)  # with and without, of odd and even kernels and of each rank
    assert_same(speed_up, lambda: CONV[rank](5, kernel, padding="same", use_bias=bias, activation="tanh"), SHAPES[rank])


@pytest.mark.parametrize("shape", [(1, 2, 3), (2, 1, 3), (5, 2, 3)], ids=str)
@pytest.mark.parametrize("kernel", [5, (7, 2), (2, 7)], ids=str)
def test_a_kernel_larger_than_the_image(kernel: Any, shape: tuple[int, ...]) -> None:
    assert_same(speed_up, lambda: CONV[2](5, kernel, padding="same"), shape)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"padding": "valid"}, "has padding=valid"),
        ({"strides": 2}, "has strides=(2, 2)"),
        ({"dilation_rate": 2}, "has dilation_rate=(2, 2)"),
        ({"groups": 2}, "has groups=2"),
    ],
)
def test_what_is_not_plain_stays(settings: dict[str, Any], reason: str) -> None:
    layer = keras.layers.Conv2D(**({"filters": 4, "kernel_size": 3, "padding": "same"} | settings))
    inputs = keras.Input((8, 8, 2))
    keras.Model(inputs, layer(inputs))
    speed_up(layer)
    assert "call" not in vars(layer)
    assert why_slow(layer, 1) == reason


def test_patches_that_take_too_much_memory_are_not_made(monkeypatch: pytest.MonkeyPatch) -> None:
    inputs = keras.Input((8, 8, 2))
    layer = keras.layers.Conv2D(4, 3, padding="same")
    keras.Model(inputs, layer(inputs))
    row = 4 * 8 * 8 * 2 * 9
    monkeypatch.setattr(convolution, "MOST_PATCH_BYTES", 32 * row)
    assert why_slow(layer, 32) is None
    assert why_slow(layer, 64) == "needs 0.3 MiB for the patches of a batch, more than 0.1"
    speed_up(layer)
    made: list[int] = []
    monkeypatch.setattr(convolution, "_convolve", lambda layer, x: made.append(len(x)))
    layer.call(tf.zeros((32, 8, 8, 2)))
    assert layer.call(tf.zeros((33, 8, 8, 2))).shape == (33, 8, 8, 4)
    assert made == [32]
