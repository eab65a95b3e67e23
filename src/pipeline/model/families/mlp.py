"""Multi-layer perceptron: hidden layers of a dense map, batch norm if asked for, activation and dropout.

Backpropagation through hidden layers: Rumelhart, Hinton and Williams 1986. Batch norm: Ioffe and Szegedy 2015.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pipeline.config import ModelConfig
from pipeline.config.checks import check_rate, one_of
from pipeline.config.model import check_widths, widths
from pipeline.model.families.family import Family
from pipeline.model.kinds import VECTOR
from pipeline.tasks import TASKS

if TYPE_CHECKING:
    import keras

# Each activation, and how the weights before it start, so that many layers neither swell nor shrink what passes through
# them: by He et al. 2015 where the activation lets only about half of it through, else by Glorot and Bengio 2010.
ACTIVATIONS = {"relu": "he_normal", "gelu": "he_normal", "silu": "he_normal", "tanh": "glorot_uniform"}


@dataclass
class MlpConfig(ModelConfig):
    """There is one hidden layer for each width in `layers`. `dropout` is the rate after each of them."""

    layers: Any = field(default_factory=lambda: [64, 64])
    activation: str = "relu"
    batch_norm: bool = False
    dropout: float = 0.0

    def __post_init__(self) -> None:
        self.layers = widths(self.layers)

    def check(self) -> None:
        super().check()
        check_widths("model.layers", self.layers)
        one_of("model.activation", self.activation, tuple(ACTIVATIONS))
        check_rate("model.dropout", self.dropout)


def build(config: MlpConfig, features: "keras.KerasTensor") -> "keras.KerasTensor":
    """Turn a vector (B, D) into the last hidden layer's values (B, layers[-1])."""
    import keras

    x = features
    start = ACTIVATIONS[config.activation]
    for i, width in enumerate(config.layers):
        # Batch norm has an offset of its own, so a bias before it would learn nothing.
        x = keras.layers.Dense(width, use_bias=not config.batch_norm, kernel_initializer=start, name=f"dense_{i}")(x)
        if config.batch_norm:
            x = keras.layers.BatchNormalization(name=f"batch_norm_{i}")(x)
        x = keras.layers.Activation(config.activation, name=f"{config.activation}_{i}")(x)
        if config.dropout:
            x = keras.layers.Dropout(config.dropout, name=f"dropout_{i}")(x)
    return x


FAMILY = Family(MlpConfig, build, accepts=(VECTOR,), tasks=tuple(TASKS))
