"""Convolutional network: blocks of convolution, batch norm and ReLU, then the mean over positions or all of them.

Convolution: LeCun et al. 1998. Batch norm: Ioffe and Szegedy 2015. Global average pooling: Lin et al. 2013.
"""

from typing import Any

from pipeline.config import CnnConfig


def build(config: CnnConfig, features: Any) -> Any:
    """A grid (B, H, W, C) or sequence (B, T, C) as its representation (B, filters[-1])."""
    import keras

    x = features
    rank = len(x.shape) - 2
    convolution = {1: keras.layers.Conv1D, 2: keras.layers.Conv2D}[rank]
    pooling = {1: keras.layers.MaxPooling1D, 2: keras.layers.MaxPooling2D}[rank]
    average = {1: keras.layers.GlobalAveragePooling1D, 2: keras.layers.GlobalAveragePooling2D}[rank]
    for i, filters in enumerate(config.filters):
        # batch norm has an offset of its own, so a bias before it would learn nothing
        x = convolution(
            filters, config.kernel, padding="same", use_bias=not config.batch_norm, name=f"convolution_{i}"
        )(x)
        if config.batch_norm:
            x = keras.layers.BatchNormalization(name=f"batch_norm_{i}")(x)
        x = keras.layers.ReLU(name=f"relu_{i}")(x)
        last = i == len(config.filters) - 1
        if not last and (i + 1) % config.pool_every == 0 and min(x.shape[1:-1]) >= 2:
            x = pooling(2, name=f"pool_{i}")(x)
        if config.dropout:
            x = keras.layers.Dropout(config.dropout, name=f"dropout_{i}")(x)
    if config.readout == "flatten":
        return keras.layers.Flatten(name="flatten")(x)
    return average(name="mean_over_positions")(x)
