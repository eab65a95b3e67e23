"""Recurrent network: h_t = tanh(W x_t + U h_{t-1} + b) (Elman 1990), or one of its gated forms:
LSTM (Hochreiter and Schmidhuber 1997) and GRU (Cho et al. 2014). A grid is read row by row as time steps.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pipeline.config import ModelConfig
from pipeline.config.checks import check, check_rate, one_of
from pipeline.config.model import check_widths, widths
from pipeline.model.families.family import Family
from pipeline.model.families.steps import last_real, reversed_steps, steps
from pipeline.model.kinds import GRID, LETTERS, SEQUENCE, TOKENS, Features
from pipeline.tasks import TASKS

if TYPE_CHECKING:
    import keras

CELLS = {"simple": "SimpleRNN", "lstm": "LSTM", "gru": "GRU"}  # each cell, and the name of its layer in Keras


@dataclass
class RnnConfig(ModelConfig):
    """There is one recurrent layer for each number in `units`, one above the other; `dropout` follows each of them.
    Tokens are embedded in `embedding` numbers first."""

    cell: str = "gru"
    units: Any = field(default_factory=lambda: [64])
    bidirectional: bool = False
    dropout: float = 0.0
    embedding: int = 64

    def __post_init__(self) -> None:
        self.units = widths(self.units)

    def check(self) -> None:
        super().check()
        one_of("model.cell", self.cell, tuple(CELLS))
        check_widths("model.units", self.units)
        check_rate("model.dropout", self.dropout)
        check(self.embedding > 0, "model.embedding", self.embedding, "1 or more")


def build(config: RnnConfig, features: Features) -> "keras.KerasTensor":
    """Turn a sequence or letters (B, T, C), or tokens (B, T), into the last state (B, D). A grid (B, H, W, C) is
    read as a sequence (B, H, W * C)."""
    import keras

    x, real = steps(features, config.embedding)
    if len(x.shape) == 4:
        _, height, width, channels = x.shape
        x = keras.layers.Reshape((height, width * channels), name="rows_as_steps")(x)
    cell = getattr(keras.layers, CELLS[config.cell])
    for i, units in enumerate(config.units):
        last = i == len(config.units) - 1
        if real is not None:
            x = over_tokens(cell, units, config, i, x, real)
            x = last_real(x, real) if last else x
        else:
            layer = cell(units, return_sequences=not last, name=f"{config.cell}_{i}")
            if config.bidirectional:
                layer = keras.layers.Bidirectional(layer, name=f"bidirectional_{i}")
            x = layer(x)
        if config.dropout:
            x = keras.layers.Dropout(config.dropout, name=f"dropout_{i}")(x)
    return x


def over_tokens(
    cell: Any, units: int, config: RnnConfig, i: int, x: "keras.KerasTensor", real: "keras.KerasTensor"
) -> "keras.KerasTensor":
    """The states (B, T, D) after each token. What fills up a text comes after its tokens, so it changes no state before
    it. For the second direction, the tokens alone are reversed."""
    import keras

    forward = cell(units, return_sequences=True, name=f"{config.cell}_{i}")(x)
    if not config.bidirectional:
        return forward
    layer = cell(units, return_sequences=True, name=f"{config.cell}_{i}_backward")
    backward = layer(reversed_steps(x, real))
    # as in Keras' Bidirectional, the last states of both directions are those after all tokens
    if i < len(config.units) - 1:
        backward = reversed_steps(backward, real)
    return keras.layers.Concatenate(name=f"both_directions_{i}")([forward, backward])


FAMILY = Family(RnnConfig, build, accepts=(TOKENS, LETTERS, SEQUENCE, GRID), tasks=tuple(TASKS))
