"""Convolutional network: blocks of convolution, batch norm and ReLU, and then the mean or the largest value over all
positions, or all positions side by side.

Convolution: LeCun et al. 1998; of several widths side by side: Kim 2014. Batch norm: Ioffe and Szegedy 2015. Global
average pooling: Lin et al. 2013.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pipeline.config import ModelConfig
from pipeline.config.checks import check, check_rate, one_of
from pipeline.config.model import check_widths, widths
from pipeline.model.families.family import Family
from pipeline.model.families.steps import mean_of_real, steps
from pipeline.model.kinds import GRID, LETTERS, SEQUENCE, TOKENS, Features
from pipeline.tasks import TASKS

if TYPE_CHECKING:
    import keras


@dataclass
class CnnConfig(ModelConfig):
    """There is one block (convolution, batch norm, ReLU) for each number in `filters`. With several widths in `kernel`,
    each block has a convolution of each width, with so many filters, side by side (Kim 2014).

    After every `pool_every` blocks the positions are pooled by 2, where the size still allows it. `readout` is
    `average`, which takes the mean over the positions, `max`, which takes the largest value of each filter, or
    `flatten`, which puts all positions side by side. Tokens are embedded in `embedding` numbers first.

    Batch norm remembers `batch_norm_momentum` of its running mean and variance at each step, and predicts by those. In
    the first 1 / (1 - momentum) steps they lag behind, and so do the scores of validation.
    """

    filters: Any = field(default_factory=lambda: [32, 64, 64])
    kernel: Any = 3
    pool_every: int = 1
    readout: str = "average"
    batch_norm: bool = True
    batch_norm_momentum: float = 0.99
    dropout: float = 0.0
    embedding: int = 64

    def __post_init__(self) -> None:
        self.filters = widths(self.filters)
        self.kernel = widths(self.kernel)

    def check(self) -> None:
        super().check()
        check_widths("model.filters", self.filters)
        check_widths("model.kernel", self.kernel)
        check(self.pool_every > 0, "model.pool_every", self.pool_every, "1 or more")
        check_rate("model.batch_norm_momentum", self.batch_norm_momentum)
        check_rate("model.dropout", self.dropout)
        one_of("model.readout", self.readout, ("average", "max", "flatten"))
        check(self.embedding > 0, "model.embedding", self.embedding, "1 or more")


def build(config: CnnConfig, features: Features) -> "keras.KerasTensor":
    """Turn a grid (B, H, W, C), a sequence or letters (B, T, C), or tokens (B, T) into its representation.

    That is (B, D), where D = filters[-1] * number of widths, and (B, positions * D) with the readout flatten.
    """
    import keras

    x, real = steps(features, config.embedding)
    rank = len(x.shape) - 2
    convolution = {1: keras.layers.Conv1D, 2: keras.layers.Conv2D}[rank]
    pooling = {1: keras.layers.MaxPooling1D, 2: keras.layers.MaxPooling2D}[rank]
    average = {1: keras.layers.GlobalAveragePooling1D, 2: keras.layers.GlobalAveragePooling2D}[rank]
    largest = {1: keras.layers.GlobalMaxPooling1D, 2: keras.layers.GlobalMaxPooling2D}[rank]
    for i, filters in enumerate(config.filters):
        # Batch norm has an offset of its own, so a bias before it would learn nothing.
        parts = [
            convolution(filters, width, padding="same", use_bias=not config.batch_norm, name=name)(x)
            for width, name in zip(config.kernel, names_of(i, config.kernel), strict=True)
        ]
        x = keras.layers.Concatenate(name=f"all_widths_{i}")(parts) if len(parts) > 1 else parts[0]
        if config.batch_norm:
            x = keras.layers.BatchNormalization(momentum=config.batch_norm_momentum, name=f"batch_norm_{i}")(x)
        x = keras.layers.ReLU(name=f"relu_{i}")(x)
        if real is not None:
            x = x * real
        last = i == len(config.filters) - 1
        if not last and (i + 1) % config.pool_every == 0 and min(x.shape[1:-1]) >= 2:
            x = pooling(2, name=f"pool_{i}")(x)
            real = None if real is None else pooling(2, name=f"pool_real_{i}")(real)
        if config.dropout:
            x = keras.layers.Dropout(config.dropout, name=f"dropout_{i}")(x)
    if config.readout == "flatten":
        return keras.layers.Flatten(name="flatten")(x)
    if config.readout == "max":
        return largest(name="largest_of_positions")(x)
    if real is not None:
        return mean_of_real(x, real)
    return average(name="mean_over_positions")(x)


def names_of(i: int, widths: list[int]) -> list[str]:
    """The names of the i-th block's convolutions."""
    return [f"convolution_{i}"] if len(widths) == 1 else [f"convolution_{i}_{j}" for j in range(len(widths))]


FAMILY = Family(CnnConfig, build, accepts=(TOKENS, LETTERS, SEQUENCE, GRID), tasks=tuple(TASKS))
