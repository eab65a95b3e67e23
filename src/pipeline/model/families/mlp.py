"""Multi-layer perceptron: hidden layers of a dense map, batch norm if asked for, activation and dropout. Categories
are embedded before the first of them.

Backpropagation through hidden layers: Rumelhart, Hinton and Williams 1986. Batch norm: Ioffe and Szegedy 2015.
Embeddings of categories: Guo and Berkhahn 2016.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pipeline.config import ModelConfig
from pipeline.config.checks import check, check_rate, one_of
from pipeline.config.model import check_widths, widths
from pipeline.model.families.family import Family
from pipeline.model.kinds import CODES, GRID, SEQUENCE, VECTOR, Feature, Features
from pipeline.tasks import TASKS

if TYPE_CHECKING:
    import keras

# Each activation, and how the weights before it start, so that many layers neither swell nor shrink what passes through
# them: by He et al. 2015 where the activation lets only about half of it through, else by Glorot and Bengio 2010.
ACTIVATIONS = {"relu": "he_normal", "gelu": "he_normal", "silu": "he_normal", "tanh": "glorot_uniform"}


@dataclass
class MlpConfig(ModelConfig):
    """There is one hidden layer for each width in `layers`. `dropout` is the rate after each of them.

    Each column of categories is embedded in half as many numbers as it has categories, and in `embedding` numbers at
    most.
    """

    layers: Any = field(default_factory=lambda: [64, 64])
    activation: str = "relu"
    batch_norm: bool = False
    dropout: float = 0.0
    embedding: int = 16

    def __post_init__(self) -> None:
        self.layers = widths(self.layers)

    def check(self) -> None:
        super().check()
        check_widths("model.layers", self.layers)
        one_of("model.activation", self.activation, tuple(ACTIVATIONS))
        check_rate("model.dropout", self.dropout)
        check(self.embedding > 0, "model.embedding", self.embedding, "1 or more")


def build(config: MlpConfig, features: Features) -> "keras.KerasTensor":
    """Turn a vector (B, D), codes (B, C) or both into the last hidden layer's values (B, layers[-1]). Of a sequence
    (B, T, C) or a grid (B, H, W, C), all numbers are one vector."""
    import keras

    parts = [features[VECTOR].tensor] if VECTOR in features else []
    wide = [features[kind].tensor for kind in (SEQUENCE, GRID) if kind in features]
    parts += [keras.layers.Flatten(name="flatten")(tensor) for tensor in wide]
    if CODES in features:
        parts += embedded(config, features[CODES])
    x = keras.layers.Concatenate(name="vector_and_categories")(parts) if len(parts) > 1 else parts[0]
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


def embedded(config: MlpConfig, codes: Feature) -> "list[keras.KerasTensor]":
    """The embedding (B, d) of each column's code. It starts at 0, so that what no training row has stays there."""
    import keras

    found = []
    for i, size in enumerate(codes.sizes):
        width = min(config.embedding, (size + 1) // 2)
        table = keras.layers.Embedding(size, width, embeddings_initializer="zeros", name=f"embedding_{i}")
        found.append(table(codes.tensor[:, i]))
    return found


FAMILY = Family(MlpConfig, build, accepts=(VECTOR, CODES, SEQUENCE, GRID), tasks=tuple(TASKS))
