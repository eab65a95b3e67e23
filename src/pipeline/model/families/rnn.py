"""Recurrent network: h_t = tanh(W x_t + U h_{t-1} + b) (Elman 1990), or one of its gated forms:
LSTM (Hochreiter and Schmidhuber 1997) and GRU (Cho et al. 2014). A grid is read row by row as time steps.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pipeline.config import ModelConfig
from pipeline.config.checks import check_rate, one_of
from pipeline.config.model import check_widths, widths
from pipeline.model.families.family import Family
from pipeline.model.kinds import GRID, SEQUENCE
from pipeline.tasks import TASKS

if TYPE_CHECKING:
    import keras

CELLS = {"simple": "SimpleRNN", "lstm": "LSTM", "gru": "GRU"}  # each cell, and the name of its layer in Keras


@dataclass
class RnnConfig(ModelConfig):
    """There is one recurrent layer for each number in `units`, one above the other; `dropout` follows each of them."""

    cell: str = "gru"
    units: Any = field(default_factory=lambda: [64])
    bidirectional: bool = False
    dropout: float = 0.0

    def __post_init__(self) -> None:
        self.units = widths(self.units)

    def check(self) -> None:
        super().check()
        one_of("model.cell", self.cell, tuple(CELLS))
        check_widths("model.units", self.units)
        check_rate("model.dropout", self.dropout)


def build(config: RnnConfig, features: "keras.KerasTensor") -> "keras.KerasTensor":
    """Turn a sequence (B, T, C) into its last state (B, D). A grid (B, H, W, C) is read as a sequence (B, H, W * C)."""
    import keras

    x = features
    if len(x.shape) == 4:
        _, height, width, channels = x.shape
        x = keras.layers.Reshape((height, width * channels), name="rows_as_steps")(x)
    cell = getattr(keras.layers, CELLS[config.cell])
    for i, units in enumerate(config.units):
        layer = cell(units, return_sequences=i < len(config.units) - 1, name=f"{config.cell}_{i}")
        if config.bidirectional:
            layer = keras.layers.Bidirectional(layer, name=f"bidirectional_{i}")
        x = layer(x)
        if config.dropout:
            x = keras.layers.Dropout(config.dropout, name=f"dropout_{i}")(x)
    return x


FAMILY = Family(RnnConfig, build, accepts=(SEQUENCE, GRID), tasks=tuple(TASKS))
