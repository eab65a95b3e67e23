"""Recurrent network: h_t = tanh(W x_t + U h_{t-1} + b) (Elman 1990), or its gated kin:
LSTM (Hochreiter and Schmidhuber 1997) and GRU (Cho et al. 2014). A grid is read row by row as time steps.
"""

from typing import Any

from pipeline.config import RnnConfig


def build(config: RnnConfig, features: Any) -> Any:
    """A sequence (B, T, C), or a grid (B, H, W, C) as (B, H, W * C), as its last state (B, D)."""
    import keras

    x = features
    if len(x.shape) == 4:
        _, height, width, channels = x.shape
        x = keras.layers.Reshape((height, width * channels), name="rows_as_steps")(x)
    cell = {"simple": keras.layers.SimpleRNN, "lstm": keras.layers.LSTM, "gru": keras.layers.GRU}[config.cell]
    for i, units in enumerate(config.units):
        layer = cell(units, return_sequences=i < len(config.units) - 1, name=f"{config.cell}_{i}")
        if config.bidirectional:
            layer = keras.layers.Bidirectional(layer, name=f"bidirectional_{i}")
        x = layer(x)
        if config.dropout:
            x = keras.layers.Dropout(config.dropout, name=f"dropout_{i}")(x)
    return x
