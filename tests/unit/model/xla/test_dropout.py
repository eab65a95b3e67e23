"""The fast path of dropout: its rate and scale, its seed state, and what it leaves alone."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from pipeline.model.xla.dropout import speed_up


def drawn(layer: Any, seed: list[int]) -> Any:
    layer.seed_generator.state.assign(seed)

    @tf.function(autograph=False, jit_compile=True)
    def run(x: Any) -> Any:
        return layer(x, training=True)

    return run(tf.ones((200, 300))).numpy()


def test_a_rate_of_the_values_is_dropped_and_the_others_scaled() -> None:
    layer = keras.layers.Dropout(0.3)
    speed_up(layer)
    values = drawn(layer, [1, 2])
    np.testing.assert_allclose(np.unique(values), [0, 1 / 0.7], rtol=1e-6)
    deviation = np.sqrt(0.3 * 0.7 / values.size)
    assert abs((values == 0).mean() - 0.3) < 4 * deviation
    # rows, columns and neighbours are independent
    kept = (values != 0) - (values != 0).mean()
    for shifted in (np.roll(kept, 1, 0), np.roll(kept, 1, 1)):
        assert abs((kept * shifted).mean()) < 4 * 0.21 / np.sqrt(values.size)


def test_what_is_drawn_is_a_function_of_the_seed_state_which_moves_on() -> None:
    layer = keras.layers.Dropout(0.3)
    speed_up(layer)
    first = drawn(layer, [1, 2])
    after = layer.seed_generator.state.numpy().tolist()
    assert after != [1, 2]
    np.testing.assert_array_equal(drawn(layer, [1, 2]), first)
    for other in (after, [1, 3], [2, 2]):
        assert (drawn(layer, other) != first).any()


def test_nothing_is_dropped_outside_of_training() -> None:
    layer = keras.layers.Dropout(0.3)
    speed_up(layer)
    x = tf.ones((2, 3))
    np.testing.assert_array_equal(layer(x), x)
    np.testing.assert_array_equal(layer(x, training=False), x)


def test_other_layers_stay() -> None:
    for layer in (keras.layers.Dropout(0.0), keras.layers.Dropout(0.3, noise_shape=(1, None)), keras.layers.ReLU()):
        speed_up(layer)
        assert "call" not in vars(layer)
