"""The fast path of dropout against Keras' own: what is dropped, gradients, the seed state, and what it leaves alone."""

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from pipeline.model.xla.dropout import speed_up, why_slow


def layer_of(seed: list[int], dtype: str) -> Any:
    layer = keras.layers.Dropout(0.3, dtype=dtype)
    layer.seed_generator.state.assign(seed)
    return layer


def drawn(layer: Any, x: Any, xla: bool) -> list[Any]:
    """Outputs and gradients of two calls, and the seed state after them."""

    @tf.function(autograph=False, jit_compile=xla)
    def run(x: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            outputs = [layer(x, training=True) for _ in range(2)]
        return *outputs, tape.gradient(outputs, x), tf.cast(layer.seed_generator.state.value, tf.float64)

    return [np.asarray(tf.cast(value, tf.float64)) for value in run(x)]


@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
@pytest.mark.parametrize("shape", [(7,), (32, 64), (5, 9, 3), (6, 9, 6, 3)], ids=str)
@pytest.mark.parametrize("seed", [[1, 2], [2**31 - 1, 2**31 - 3]], ids=str)
def test_dropout_is_keras(shape: tuple[int, ...], seed: list[int], dtype: str) -> None:
    usual, quick = (layer_of(seed, dtype) for _ in range(2))
    speed_up(quick)
    assert "call" in vars(quick)
    x = tf.cast(np.random.default_rng(3).uniform(1, 2, shape), quick.compute_dtype)
    for ours, theirs in zip(drawn(quick, x, xla=True), drawn(usual, x, xla=False), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert quick.get_config() | {"name": ""} == usual.get_config() | {"name": ""}


def test_nothing_is_dropped_outside_of_training() -> None:
    layer = keras.layers.Dropout(0.3)
    speed_up(layer)
    x = tf.ones((2, 3))
    np.testing.assert_array_equal(layer(x), x)
    np.testing.assert_array_equal(layer(x, training=False), x)


def test_other_layers_stay() -> None:
    noisy, half = keras.layers.Dropout(0.3, noise_shape=(1, None)), keras.layers.Dropout(0.3, dtype="float16")
    assert (why_slow(noisy), why_slow(half)) == ("has a noise_shape", "computes in float16")
    for layer in (keras.layers.Dropout(0.0), keras.layers.Dropout(1.0), noisy, half, keras.layers.ReLU()):
        speed_up(layer)
        assert "call" not in vars(layer)
