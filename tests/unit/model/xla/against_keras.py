"""A layer's fast path under XLA beside Keras' own: outputs, gradients, configuration."""

from typing import Any

import numpy as np
import tensorflow as tf

SHAPES = {1: (9, 3), 2: (9, 6, 3)}


def measure(layer: Any, x: Any, xla: bool) -> list[list[Any]]:
    """Outputs, and the gradients of a function of them, of inputs and weights; twice."""

    @tf.function(autograph=False, jit_compile=xla)
    def run(x: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            outputs = layer(x)
            loss = tf.reduce_sum(tf.sin(3 * outputs))
        return outputs, tape.gradient(loss, [x, *(v.value for v in layer.trainable_variables)])

    return [[t.numpy() for t in tf.nest.flatten(run(x))] for _ in range(2)]


def assert_same(speed_up: Any, make: Any, shape: tuple[int, ...]) -> None:
    """What `speed_up` makes of a layer computes what the layer does, and the same bits again."""
    usual, quick = make(), make()
    x = tf.constant(np.random.default_rng(3).standard_normal((6, *shape)), tf.float32)
    for layer in (usual, quick):
        layer.build(x.shape)
        draw = np.random.default_rng(2)
        layer.set_weights([draw.normal(0, 0.3, w.shape) for w in layer.get_weights()])
    speed_up(quick)
    (found, again), (expected, _) = measure(quick, x, xla=True), measure(usual, x, xla=False)
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5 * np.abs(theirs).max())
    for first, second in zip(found, again, strict=True):
        np.testing.assert_array_equal(first, second)
    assert quick.get_config() | {"name": ""} == usual.get_config() | {"name": ""}
