"""Which layers a multi-layer perceptron is built of, and which settings it refuses."""

import re

import keras
import numpy as np
import pytest

from pipeline.errors import ConfigError
from pipeline.model.families.mlp import MlpConfig, build
from pipeline.model.kinds import CODES, GRID, SEQUENCE, VECTOR, Feature


def layers_of(config: MlpConfig) -> list[keras.Layer]:
    config.check()
    inputs = keras.Input((3,))
    return keras.Model(inputs, build(config, {VECTOR: Feature(inputs)})).layers[1:]


def test_each_category_has_an_embedding_of_its_own() -> None:
    codes = keras.Input((3,), dtype="int32")
    model = keras.Model(codes, build(MlpConfig("mlp", layers=4, embedding=5), {CODES: Feature(codes, [2, 7, 100])}))
    tables = [layer for layer in model.layers if isinstance(layer, keras.layers.Embedding)]
    assert [(table.input_dim, table.output_dim) for table in tables] == [(2, 1), (7, 4), (100, 5)]
    tables[1].set_weights([np.arange(28.0).reshape(7, 4)])
    concatenated = keras.Model(codes, model.get_layer("vector_and_categories").output)
    found = np.asarray(concatenated(np.array([[1, 6, 99], [0, 2, 0]], np.int32)))
    assert found.tolist() == [[0, 24, 25, 26, 27, *[0] * 5], [0, 8, 9, 10, 11, *[0] * 5]]


@pytest.mark.parametrize(("kind", "shape"), [(SEQUENCE, (4, 3)), (GRID, (4, 3, 2))])
def test_all_numbers_of_a_sequence_or_a_grid_are_one_vector(kind: str, shape: tuple[int, ...]) -> None:
    inputs = keras.Input(shape)
    layers = keras.Model(inputs, build(MlpConfig("mlp", layers=5), {kind: Feature(inputs)})).layers
    assert [layer.name for layer in layers[1:]] == ["flatten", "dense_0", "relu_0"]
    assert layers[2].kernel.shape == (np.prod(shape), 5)


def test_each_hidden_layer_is_dense_batch_norm_activation_and_dropout() -> None:
    layers = layers_of(MlpConfig("mlp", layers=[8, 4], activation="gelu", batch_norm=True, dropout=0.1))
    assert [layer.name for layer in layers] == [
        *("dense_0", "batch_norm_0", "gelu_0", "dropout_0"),
        *("dense_1", "batch_norm_1", "gelu_1", "dropout_1"),
    ]
    assert [layer.units for layer in layers if isinstance(layer, keras.layers.Dense)] == [8, 4]
    assert not any(layer.use_bias for layer in layers if isinstance(layer, keras.layers.Dense))


def test_without_batch_norm_and_dropout_a_bias_comes_before_the_activation() -> None:
    dense, activation = layers_of(MlpConfig("mlp", layers=8))
    assert (dense.name, dense.units, dense.use_bias, activation.name) == ("dense_0", 8, True, "relu_0")


@pytest.mark.parametrize(("activation", "start"), [("relu", "HeNormal"), ("tanh", "GlorotUniform")])
def test_the_activation_decides_how_weights_start(activation: str, start: str) -> None:
    dense = layers_of(MlpConfig("mlp", layers=[8], activation=activation))[0]
    assert type(dense.kernel_initializer).__name__ == start


WIDTHS = "expected a positive width, or a list of them such as [8, 16]."


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"layers": [8, 0]}, f"model.layers: found [8, 0], {WIDTHS}"),
        ({"layers": []}, f"model.layers: found [], {WIDTHS}"),
        ({"layers": 2.5}, f"model.layers: found 2.5, {WIDTHS}"),
        ({"embedding": 0}, "model.embedding: found 0, expected 1 or more."),
        ({"dropout": 1.0}, "model.dropout: found 1.0, expected a rate of at least 0 and less than 1."),
        ({"activation": "elu"}, "model.activation: 'elu' is unknown (relu, gelu, silu, tanh). Did you mean"),
    ],
    ids=str,
)
def test_what_is_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(message)):
        MlpConfig("mlp", **settings).check()  # type: ignore[arg-type]
