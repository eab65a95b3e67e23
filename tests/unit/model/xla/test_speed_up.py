"""Which layers of a family's model compute by the fast path."""

import keras
import pytest

from pipeline.model.families import cnn
from pipeline.model.xla import speed_up


@pytest.mark.parametrize("shape", [(8, 1), (8, 8, 1)], ids=["sequence", "grid"])
def test_every_layer_of_a_cnn_that_has_a_fast_form(shape: tuple[int, ...]) -> None:
    inputs = keras.Input(shape)
    core = keras.Model(inputs, cnn.build(cnn.CnnConfig(filters=[4, 4], pool_every=1, dropout=0.1), inputs))
    speed_up(core)
    usual = {type(layer).__name__.rstrip("12D") for layer in core.layers if "call" not in vars(layer)}
    assert usual == {"InputLayer", "ReLU"}
