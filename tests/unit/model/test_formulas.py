"""Each family against its textbook formula in NumPy."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from pipeline.config import ModelConfig
from pipeline.model.families import FAMILIES
from pipeline.model.heads import Head
from pipeline.model.kinds import GRID, SEQUENCE, VECTOR, Feature
from pipeline.tasks import TASKS

B, T, C = 5, 4, 3


@pytest.fixture(autouse=True)
def _seeded() -> None:
    keras.utils.set_random_seed(0)


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def of(family: str, **values: object) -> ModelConfig:
    return FAMILIES[family].config(family=family, **values)  # type: ignore[arg-type]


KINDS = {1: VECTOR, 2: SEQUENCE, 3: GRID}


def core(config: ModelConfig, shape: tuple[int, ...], outputs: int) -> keras.Model:
    features = keras.Input(shape)
    representation = FAMILIES[config.family].build(config, {KINDS[len(shape)]: Feature(features)})
    model = keras.Model(features, keras.layers.Dense(outputs, name="head")(representation))
    model.set_weights([np.random.default_rng(1).normal(size=w.shape) * 0.4 for w in model.get_weights()])
    return model


def data(*shape: int) -> np.ndarray:
    return np.random.default_rng(2).normal(size=shape).astype(np.float32)


def gradients(model: keras.Model, x: np.ndarray, y: np.ndarray, head: Head) -> list[np.ndarray]:
    with tf.GradientTape() as tape:
        loss = head.loss()(y, model(x))
    return [np.asarray(g) for g in tape.gradient(loss, model.trainable_weights)]


def test_linear_is_wx_plus_b_and_least_squares() -> None:
    model, x, y = core(of("linear"), (C,), 1), data(B, C), data(B, 1)
    w, b = model.get_weights()
    np.testing.assert_allclose(model(x), x @ w + b, rtol=1e-5)
    residual = x @ w + b - y
    grad_w, grad_b = gradients(model, x, y, Head(TASKS["regression"], 1))
    np.testing.assert_allclose(grad_w, 2 * x.T @ residual / B, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(grad_b, 2 * residual.mean(axis=0), rtol=1e-4, atol=1e-6)


def test_binary_logistic_is_sigmoid_and_its_gradient() -> None:
    model, x = core(of("logistic"), (C,), 1), data(B, C)
    y = np.array([[0], [1], [1], [0], [1]], np.float32)
    w, b = model.get_weights()
    head = Head(TASKS["binary"], 1)
    p = sigmoid(x @ w + b)
    np.testing.assert_allclose(head.served_output(model(x)), p, rtol=1e-5)
    grad_w, grad_b = gradients(model, x, y, head)
    np.testing.assert_allclose(grad_w, x.T @ (p - y) / B, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(grad_b, (p - y).mean(axis=0), rtol=1e-4, atol=1e-6)


def test_multiclass_logistic_is_softmax_and_its_gradient() -> None:
    model, x = core(of("logistic"), (C,), 4), data(B, C)
    y = np.array([0, 3, 1, 2, 2], np.int32)
    w, b = model.get_weights()
    scores = np.exp(x @ w + b)
    p = scores / scores.sum(axis=1, keepdims=True)
    head = Head(TASKS["multiclass"], 4)
    np.testing.assert_allclose(head.served_output(model(x)), p, rtol=1e-5)
    grad_w, grad_b = gradients(model, x, y, head)
    np.testing.assert_allclose(grad_w, x.T @ (p - np.eye(4)[y]) / B, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(grad_b, (p - np.eye(4)[y]).mean(axis=0), rtol=1e-4, atol=1e-6)


def test_mlp_is_a_chain_of_dense_maps_and_activations() -> None:
    model, x = core(of("mlp", layers=[6, 4]), (C,), 2), data(B, C)
    w_0, b_0, w_1, b_1, w, b = model.get_weights()
    hidden = np.maximum(np.maximum(x @ w_0 + b_0, 0) @ w_1 + b_1, 0)
    np.testing.assert_allclose(model(x), hidden @ w + b, rtol=1e-4, atol=1e-5)


def test_mlp_with_batch_norm_normalises_before_the_activation() -> None:
    model, x = core(of("mlp", layers=[6], activation="tanh", batch_norm=True), (C,), 2), data(B, C)
    w_0, gamma, beta, _, _, w, b = model.get_weights()
    mapped = x @ w_0
    normalised = gamma * (mapped - mapped.mean(axis=0)) / np.sqrt(mapped.var(axis=0) + 0.001) + beta
    np.testing.assert_allclose(model(x, training=True), np.tanh(normalised) @ w + b, rtol=1e-4, atol=1e-5)


def test_cnn_is_convolution_relu_and_mean() -> None:
    config = of("cnn", filters=[2], kernel=3, batch_norm=False)
    model, x_BHWC = core(config, (5, 6, C), 2), data(B, 5, 6, C)
    kernel, bias, w, b = model.get_weights()
    padded = np.pad(x_BHWC, ((0, 0), (1, 1), (1, 1), (0, 0)))
    maps = np.zeros((B, 5, 6, 2))
    for i in range(5):
        for j in range(6):
            maps[:, i, j] = np.einsum("bhwc,hwcf->bf", padded[:, i : i + 3, j : j + 3], kernel) + bias
    representation = np.maximum(maps, 0).mean(axis=(1, 2))
    np.testing.assert_allclose(model(x_BHWC), representation @ w + b, rtol=1e-4, atol=1e-5)


def test_cnn_on_a_sequence() -> None:
    model, x_BTC = core(of("cnn", filters=[2], kernel=3, batch_norm=False), (T, C), 2), data(B, T, C)
    kernel, bias, w, b = model.get_weights()
    padded = np.pad(x_BTC, ((0, 0), (1, 1), (0, 0)))
    maps = np.stack([np.einsum("btc,tcf->bf", padded[:, t : t + 3], kernel) + bias for t in range(T)], axis=1)
    np.testing.assert_allclose(model(x_BTC), np.maximum(maps, 0).mean(axis=1) @ w + b, rtol=1e-4, atol=1e-5)


def test_simple_rnn_is_elmans() -> None:
    model, x = core(of("rnn", cell="simple", units=[6]), (T, C), 2), data(B, T, C)
    w_x, u, bias, w, b = model.get_weights()
    h = np.zeros((B, 6))
    for t in range(T):
        h = np.tanh(x[:, t] @ w_x + h @ u + bias)
    np.testing.assert_allclose(model(x), h @ w + b, rtol=1e-4, atol=1e-5)


def test_lstm() -> None:
    model, x = core(of("rnn", cell="lstm", units=[6]), (T, C), 2), data(B, T, C)
    w_x, u, bias, w, b = model.get_weights()
    h, c = np.zeros((B, 6)), np.zeros((B, 6))
    for t in range(T):
        i, f, g, o = np.split(x[:, t] @ w_x + h @ u + bias, 4, axis=1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
    np.testing.assert_allclose(model(x), h @ w + b, rtol=1e-4, atol=1e-5)


def test_gru_with_reset_after_the_product() -> None:
    model, x = core(of("rnn", cell="gru", units=[6]), (T, C), 2), data(B, T, C)
    w_x, u, (bias_x, bias_h), w, b = model.get_weights()
    h = np.zeros((B, 6))
    for t in range(T):
        z_x, r_x, g_x = np.split(x[:, t] @ w_x + bias_x, 3, axis=1)
        z_h, r_h, g_h = np.split(h @ u + bias_h, 3, axis=1)
        z, r = sigmoid(z_x + z_h), sigmoid(r_x + r_h)
        h = z * h + (1 - z) * np.tanh(g_x + r * g_h)
    np.testing.assert_allclose(model(x), h @ w + b, rtol=1e-4, atol=1e-5)


def test_rnn_reads_a_grid_row_by_row() -> None:
    grid_BHWC = data(B, T, 2, 2)
    on_grid = core(of("rnn", cell="simple", units=[6]), (T, 2, 2), 2)
    on_rows = core(of("rnn", cell="simple", units=[6]), (T, 4), 2)
    np.testing.assert_allclose(on_grid(grid_BHWC), on_rows(grid_BHWC.reshape(B, T, 4)), rtol=1e-6)
