"""The fast path of convolutions and max pooling against Keras' own: outputs, gradients, and what it leaves alone."""

import functools
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from pipeline.model.xla import convolution, winograd
from pipeline.model.xla.convolution import speed_up, suits

CONV = {1: keras.layers.Conv1D, 2: keras.layers.Conv2D}
POOL = {1: keras.layers.MaxPooling1D, 2: keras.layers.MaxPooling2D}
SHAPES = {1: (9, 3), 2: (9, 6, 3)}


def measure(layer: Any, x: Any, xla: bool) -> list[Any]:
    """Outputs, and the gradients of a function of them, of inputs and weights."""

    @tf.function(autograph=False, jit_compile=xla)
    def run(x: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            outputs = layer(x)
            loss = tf.reduce_sum(tf.sin(3 * outputs))
        return outputs, tape.gradient(loss, [x, *(v.value for v in layer.trainable_variables)])

    return [t.numpy() for t in tf.nest.flatten(run(x))]


def assert_same(make: Any, shape: tuple[int, ...]) -> None:
    usual, quick = make(), make()
    x = tf.constant(np.random.default_rng(3).standard_normal((6, *shape)), tf.float32)
    for layer in (usual, quick):
        layer.build(x.shape)
        draw = np.random.default_rng(2)
        layer.set_weights([draw.normal(0, 0.3, w.shape) for w in layer.get_weights()])
    speed_up(quick)
    found = measure(quick, x, xla=True)
    for ours, theirs in zip(found, measure(usual, x, xla=False), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5 * np.abs(theirs).max())
    for first, second in zip(found, measure(quick, x, xla=True), strict=True):
        np.testing.assert_array_equal(first, second)
    assert quick.get_config() | {"name": ""} == usual.get_config() | {"name": ""}


@pytest.mark.parametrize("rank", [1, 2])
@pytest.mark.parametrize("kernel", [1, 2, 3, 4])
@pytest.mark.parametrize("bias", [False, True])
def test_convolution_is_keras(rank: int, kernel: int, bias: bool) -> None:
    assert_same(lambda: CONV[rank](5, kernel, padding="same", use_bias=bias, activation="tanh"), SHAPES[rank])


@pytest.mark.parametrize("shape", [(8, 8), (4, 7), (5, 2), (1, 3), (2, 1), (1, 1)], ids=str)
@pytest.mark.parametrize(("channels", "filters"), [(3, 5), (32, 50)])
def test_winograd_is_keras(
    shape: tuple[int, int], channels: int, filters: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(convolution, "_way", lambda layer, shape: winograd.convolve)
    make = functools.partial(keras.layers.Conv2D, filters, 3, padding="same", activation="tanh")
    assert_same(make, (*shape, channels))


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


@pytest.mark.parametrize("rank", [1, 2])
@pytest.mark.parametrize("size", [2, 3])
def test_max_pooling_is_keras(rank: int, size: int) -> None:
    assert_same(lambda: POOL[rank](size), SHAPES[rank])


def test_equal_maxima_share_the_gradient() -> None:
    layer = POOL[2](2)
    speed_up(layer)
    x = tf.constant([[[[1.0], [3.0]], [[3.0], [3.0]]]])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = 6 * layer(x)
    np.testing.assert_allclose(tape.gradient(y, x)[0, ..., 0], [[0, 2], [2, 2]])


def test_what_is_not_plain_stays() -> None:
    layers = [
        keras.layers.Conv2D(4, 3, padding="valid"),
        keras.layers.Conv2D(4, 3, padding="same", strides=2),
        keras.layers.Conv2D(4, 3, padding="same", dilation_rate=2),
        keras.layers.MaxPooling2D(2, strides=1),
        keras.layers.MaxPooling2D(2, padding="same"),
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
    speed_up(core.layers[1])
    made: list[int] = []
    monkeypatch.setattr(convolution, "_convolve", lambda layer, x, way: made.append(len(x)))
    core.layers[1].call(tf.zeros((32, 8, 8, 2)))
    assert core.layers[1].call(tf.zeros((33, 8, 8, 2))).shape == (33, 8, 8, 4)
    assert made == [32]
