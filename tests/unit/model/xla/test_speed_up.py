"""Which layers of a model compute by the fast path, and which layer has none."""

from collections.abc import Callable
from typing import Any

import keras
import pytest

from pipeline.model.families import cnn, mlp, rnn
from pipeline.model.kinds import CODES, GRID, SEQUENCE, VECTOR, Feature
from pipeline.model.xla import slow_layer, speed_up


def cnn_of(shape: tuple[int, ...]) -> Any:
    inputs = keras.Input(shape)
    features = {GRID if len(shape) == 3 else SEQUENCE: Feature(inputs)}
    return keras.Model(inputs, cnn.build(cnn.CnnConfig(filters=[4, 4], pool_every=1, dropout=0.1), features))


def model_of(layer: Any, shape: tuple[int, ...]) -> Any:
    layer.name = "made"
    inputs = keras.Input(shape)
    return keras.Model(inputs, layer(inputs))


@pytest.mark.parametrize("shape", [(8, 1), (8, 8, 1)], ids=["sequence", "grid"])
def test_every_layer_of_a_cnn_that_has_a_fast_form(shape: tuple[int, ...]) -> None:
    core = cnn_of(shape)
    speed_up(core, on_gpu=False)
    usual = {type(layer).__name__.rstrip("12D") for layer in core.layers if "call" not in vars(layer)}
    assert usual == {"InputLayer", "ReLU"}


def test_on_a_gpu_dropout_alone_changes() -> None:
    core = cnn_of((8, 8, 1))
    speed_up(core, on_gpu=True)
    assert {type(layer) for layer in core.layers if "call" in vars(layer)} == {keras.layers.Dropout}


def test_the_families_have_no_slow_layer() -> None:
    assert slow_layer(cnn_of((8, 8, 1)), 32) is None
    inputs = keras.Input((8, 8, 1))
    for cell in ("simple", "lstm", "gru"):
        config = rnn.RnnConfig(cell=cell, units=[4, 4], bidirectional=True, dropout=0.1)
        outputs = rnn.build(config, {GRID: Feature(inputs)})
        assert slow_layer(keras.Model(inputs, outputs), 32) is None
    vector = keras.Input((8,))
    codes = keras.Input((2,), dtype="int32")
    features = {VECTOR: Feature(vector), CODES: Feature(codes, [3, 20])}
    outputs = mlp.build(mlp.MlpConfig(layers=[4, 4], batch_norm=True, dropout=0.1), features)
    assert slow_layer(keras.Model([vector, codes], outputs), 32) is None


class Own(keras.layers.Conv2D):
    """A subclass, which may compute something else."""


@pytest.mark.parametrize(
    ("make", "shape", "found"),
    [
        (lambda: keras.layers.Conv2D(4, 3), (8, 8, 1), "made has padding=valid"),
        (
            lambda: keras.layers.Conv2D(4, 3, padding="same"),
            (512, 512, 1),
            "made needs 288.0 MiB for the patches of a batch",
        ),
        (lambda: Own(4, 3, padding="same"), (8, 8, 1), "made is a Own"),
        (lambda: keras.layers.DepthwiseConv2D(3, padding="same"), (8, 8, 1), "made is a DepthwiseConv2D"),
        (lambda: keras.layers.MaxPooling2D(2, strides=1), (8, 8, 1), "made has strides=(1, 1)"),
        (lambda: keras.layers.AveragePooling2D(2), (8, 8, 1), "made is a AveragePooling2D"),
        (lambda: keras.layers.GRU(4, recurrent_dropout=0.1), (8, 2), "made has recurrent_dropout=0.1"),
        (lambda: keras.layers.LSTM(4, activation="relu"), (8, 2), "made has activation=relu"),
        (
            lambda: keras.layers.Bidirectional(keras.layers.GRU(4, reset_after=False)),
            (8, 2),
            "made has reset_after=False",
        ),
        (lambda: keras.layers.SimpleRNN(4, dtype="mixed_bfloat16"), (8, 2), "made has compute_dtype=bfloat16"),
        (lambda: keras.layers.Embedding(5000, 4), (2,), "made has a table of 5000 rows"),
        (lambda: keras.layers.Dropout(0.3, noise_shape=(1, None)), (2,), "made has a noise_shape"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_slow_layer_is_named_with_the_reason(make: Callable[[], Any], shape: tuple[int, ...], found: str) -> None:
    assert str(slow_layer(model_of(make(), shape), 32)).startswith(found)
