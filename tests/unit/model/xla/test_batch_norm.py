"""The fast path of batch norm against Keras' own: outputs, gradients, moving statistics, and what it leaves alone."""

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from pipeline.model.xla import batch_norm
from pipeline.model.xla.batch_norm import speed_up
from pipeline.model.xla.means import mean_of_rows, sum_of_rows


def layer_of(shape: tuple[int, ...]) -> Any:
    inputs = keras.Input(shape[1:])
    layer = keras.layers.BatchNormalization()
    keras.Model(inputs, layer(inputs))
    draw = np.random.default_rng(2)
    layer.set_weights([draw.uniform(0.5, 1.5, w.shape) for w in layer.get_weights()])
    return layer


def measure(layer: Any, x: Any, xla: bool, training: bool = True) -> list[Any]:
    """Outputs, the gradients of a function of them, of inputs and weights; then the weights, moving averages too."""

    @tf.function(autograph=False, jit_compile=xla)
    def run(x: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            outputs = layer(x, training=training)
            loss = tf.reduce_sum(tf.sin(3 * outputs))
        return outputs, tape.gradient(loss, [x, *(v.value for v in layer.trainable_variables)])

    return [t.numpy() for t in tf.nest.flatten(run(x))] + layer.get_weights()


@pytest.mark.parametrize("shape", [(32, 3), (5, 9, 3), (6, 9, 3), (6, 9, 6, 3)], ids=str)
@pytest.mark.parametrize("training", [True, False])
def test_batch_norm_is_keras(shape: tuple[int, ...], training: bool) -> None:
    usual, quick, again = (layer_of(shape) for _ in range(3))
    for layer in (quick, again):
        speed_up(layer)
    x = tf.constant(np.random.default_rng(3).normal(2, 3, shape), tf.float32)
    found = measure(quick, x, True, training)
    for ours, theirs in zip(found, measure(usual, x, False, training), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5 * np.abs(theirs).max())
    for first, second in zip(found, measure(again, x, True, training), strict=True):
        np.testing.assert_array_equal(first, second)
    assert quick.get_config() | {"name": ""} == usual.get_config() | {"name": ""}


def test_bfloat16_keeps_its_statistics_in_float32() -> None:
    inputs = keras.Input((9, 3))
    layer = keras.layers.BatchNormalization(dtype="mixed_bfloat16")
    keras.Model(inputs, layer(inputs))
    speed_up(layer)
    x = np.random.default_rng(3).normal(2, 3, (32, 9, 3)).astype(np.float32)
    assert layer(tf.cast(x, tf.bfloat16), training=True).dtype == tf.bfloat16
    mean = tf.cast(tf.cast(x, tf.bfloat16), tf.float32).numpy().mean((0, 1))
    np.testing.assert_allclose(layer.moving_mean.numpy(), 0.01 * mean, rtol=1e-5)


def test_when_it_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = []
    normalise = batch_norm._normalise
    monkeypatch.setattr(batch_norm, "_normalise", lambda x, *rest: taken.append(x.shape) or normalise(x, *rest))
    layer = layer_of((32, 9, 3))
    speed_up(layer)
    x = tf.ones((32, 9, 3))
    layer(x, training=True)
    assert taken == [(32 * 9, 3)]
    layer(x, training=False)
    layer(x, training=True, mask=tf.ones((32, 9), bool))
    tf.function(lambda x: layer(x, training=True)).get_concrete_function(tf.TensorSpec((None, 9, 3)))
    layer.trainable = False
    before = layer.get_weights()
    layer(x, training=True)
    np.testing.assert_equal(layer.get_weights(), before)
    assert len(taken) == 1


def test_no_approximate_inverse_square_root() -> None:
    """Makers of processors choose its last bits; XLA and TensorFlow make it of 1 / sqrt(x), and of x / sqrt(y)."""
    layer = keras.layers.BatchNormalization()
    layer.build((32, 9, 3))

    @tf.function(autograph=False, jit_compile=True)
    def train(x: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = tf.reduce_sum(tf.sin(layer(x, training=True)))
        return tape.gradient(loss, [x, layer.gamma.value, layer.beta.value])

    def compiled() -> str:
        fresh = tf.function(train.python_function, autograph=False, jit_compile=True)
        return str(fresh.experimental_get_compiler_ir(tf.ones((32, 9, 3)))(stage="optimized_hlo"))

    assert "rsqrt" in compiled()
    speed_up(layer)
    assert "rsqrt" not in compiled()


@pytest.mark.parametrize(
    "options", [{"axis": 1}, {"scale": False}, {"center": False}, {"renorm": True}, {"synchronized": True}], ids=str
)
def test_what_is_not_plain_stays(options: dict[str, Any]) -> None:
    inputs = keras.Input((4, 5))
    layer = keras.layers.BatchNormalization(**options)
    keras.Model(inputs, layer(inputs))
    speed_up(layer)
    assert "call" not in vars(layer)


@pytest.mark.parametrize("rows", [1, 7, 10, 12])
def test_means_and_sums(rows: int) -> None:
    x = np.random.default_rng(rows).normal(size=(rows, 3)).astype(np.float32)
    np.testing.assert_allclose(mean_of_rows(tf.constant(x)), x.mean(0), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(sum_of_rows(tf.constant(x)), x.sum(0), rtol=1e-5, atol=1e-6)
