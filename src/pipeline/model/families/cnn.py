"""Convolutional network: blocks of convolution, batch norm and ReLU, and then the mean over all positions, or all
positions side by side.

Convolution: LeCun et al. 1998. Batch norm: Ioffe and Szegedy 2015. Global average pooling: Lin et al. 2013.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pipeline.config import ModelConfig
from pipeline.config.checks import check, check_rate, one_of
from pipeline.config.model import check_widths, widths
from pipeline.model.families.family import Family
from pipeline.model.kinds import GRID, SEQUENCE
from pipeline.tasks import TASKS

if TYPE_CHECKING:
    import keras


@dataclass
class CnnConfig(ModelConfig):
    """There is one block (convolution, batch norm, ReLU) for each number in `filters`.

    After every `pool_every` blocks the positions are pooled by 2, where the size still allows it. `readout` is
    `average`, which takes the mean over the positions, or `flatten`, which puts all positions side by side.
    """

    filters: Any = field(default_factory=lambda: [32, 64, 64])
    kernel: int = 3
    pool_every: int = 1
    readout: str = "average"
    batch_norm: bool = True
    dropout: float = 0.0

    def __post_init__(self) -> None:
        self.filters = widths(self.filters)

    def check(self) -> None:
        super().check()
        check_widths("model.filters", self.filters)
        check(self.kernel > 0, "model.kernel", self.kernel, "1 or more")
        check(self.pool_every > 0, "model.pool_every", self.pool_every, "1 or more")
        check_rate("model.dropout", self.dropout)
        one_of("model.readout", self.readout, ("average", "flatten"))


def build(config: CnnConfig, features: "keras.KerasTensor") -> "keras.KerasTensor":
    """Turn a grid (B, H, W, C) or a sequence (B, T, C) into its representation.

    That is (B, filters[-1]) with `readout` average, and (B, positions * filters[-1]) with flatten.
    """
    import keras

    x = features
    rank = len(x.shape) - 2
    convolution = {1: keras.layers.Conv1D, 2: keras.layers.Conv2D}[rank]
    pooling = {1: keras.layers.MaxPooling1D, 2: keras.layers.MaxPooling2D}[rank]
    average = {1: keras.layers.GlobalAveragePooling1D, 2: keras.layers.GlobalAveragePooling2D}[rank]
    for i, filters in enumerate(config.filters):
        # Batch norm has an offset of its own, so a bias before it would learn nothing.
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


FAMILY = Family(CnnConfig, build, accepts=(SEQUENCE, GRID), tasks=tuple(TASKS))
