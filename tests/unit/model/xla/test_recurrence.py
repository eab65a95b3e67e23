"""The fast path of recurrent layers against Keras' own: outputs, states, gradients, and what it leaves alone."""

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from pipeline.model.xla.recurrence import speed_up

CELLS = {"simple": keras.layers.SimpleRNN, "gru": keras.layers.GRU, "lstm": keras.layers.LSTM}


def layer_of(cell: str, bidirectional: bool = False, **options: Any) -> Any:
    layer = CELLS[cell](12, **options)
    layer = keras.layers.Bidirectional(layer) if bidirectional else layer
    layer.build((None, 8, 5))
    draw = np.random.default_rng(2)
    layer.set_weights([draw.normal(0, 0.3, w.shape) for w in layer.get_weights()])
    return layer


def measure(layer: Any, steps: int, initial: Any = None, xla: bool = True) -> list[list[Any]]:
    """Outputs, and the gradients of a function of them, of inputs and weights; twice."""
    x = tf.constant(np.random.default_rng(3).standard_normal((6, steps, 5)), tf.float32)

    @tf.function(autograph=False, jit_compile=xla)
    def run(x: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            outputs = tf.nest.flatten(layer(x, training=True, initial_state=initial))
            loss = tf.add_n([tf.reduce_sum(tf.sin(3 * o)) for o in outputs])
        return outputs, tape.gradient(loss, [x, *(v.value for v in layer.trainable_variables)])

    return [[t.numpy() for t in tf.nest.flatten(run(x))] for _ in range(2)]


def assert_same(cell: str, steps: int, bidirectional: bool = False, initial: Any = None, **options: Any) -> None:
    usual, quick = (layer_of(cell, bidirectional, **options) for _ in range(2))
    speed_up(quick)
    for layer in (quick.forward_layer, quick.backward_layer) if bidirectional else (quick,):
        assert "inner_loop" in vars(layer), "the fast path is not taken"
    (found, again), (expected, _) = measure(quick, steps, initial), measure(usual, steps, initial, xla=False)
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5 * np.abs(theirs).max())
    for first, second in zip(found, again, strict=True):
        np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize(
    ("steps", "bidirectional", "sequences"),
    # each value beside each value of the others
    [(1, False, False), (1, True, True), (8, False, True), (8, True, False)],
)
def test_outputs_and_gradients_are_keras(cell: str, steps: int, bidirectional: bool, sequences: bool) -> None:
    assert_same(cell, steps, bidirectional, return_sequences=sequences)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("options", [{"go_backwards": True}, {"use_bias": False}, {"return_state": True}])
def test_options(cell: str, options: dict[str, Any]) -> None:
    assert_same(cell, 8, return_sequences=True, **options)


@pytest.mark.parametrize("cell", CELLS)
def test_initial_state(cell: str) -> None:
    states = [tf.fill([6, 12], 0.3), tf.fill([6, 12], -0.2)]
    assert_same(cell, 8, initial=states[: 2 if cell == "lstm" else 1], return_state=True)


@pytest.mark.parametrize("cell", CELLS)
def test_layers_with_dropout_or_other_precision_stay(cell: str) -> None:
    for options in ({"dropout": 0.1}, {"recurrent_dropout": 0.1}, {"dtype": "mixed_bfloat16"}, {"activation": "relu"}):
        layer = CELLS[cell](4, **options)
        speed_up(layer)
        assert "inner_loop" not in vars(layer)


@pytest.mark.parametrize("cell", CELLS)
def test_masked_steps_take_the_usual_path(cell: str) -> None:
    mask = np.array([[True] * 5 + [False] * 3] * 6)
    x = np.random.default_rng(3).standard_normal((6, 8, 5)).astype(np.float32)
    quick = layer_of(cell)
    speed_up(quick)
    expected = layer_of(cell)(x[:, :5], training=True)
    np.testing.assert_allclose(quick(x, mask=mask, training=True), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("cell", CELLS)
def test_the_saved_model_is_plain_keras(cell: str, tmp_path: Any) -> None:
    keras.utils.set_random_seed(1)
    draw = np.random.default_rng(4)
    x, y = draw.standard_normal((70, 8, 5)).astype("f"), draw.standard_normal((70, 1)).astype("f")
    layer = keras.layers.Bidirectional(CELLS[cell](6))
    speed_up(layer)
    model = keras.Sequential([keras.Input((8, 5)), layer, keras.layers.Dense(1)])
    model.compile("adam", "mse")
    model.fit(x, y, epochs=2, batch_size=32, verbose=0)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(again.predict(x, verbose=0), model.predict(x, verbose=0), rtol=1e-5, atol=1e-6)
