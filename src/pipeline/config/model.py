"""What is built: a model of one of the families."""

from dataclasses import dataclass, field
from typing import Any

from omegaconf import MISSING

from pipeline.config.checks import check, check_rate, one_of


@dataclass
class ModelConfig:
    """What every family has; `l2` is the penalty on the head's weights."""

    family: str = MISSING
    l2: float = 0.0

    def check(self) -> None:
        check(self.l2 >= 0, "model.l2", self.l2, "0 or more")


@dataclass
class LinearConfig(ModelConfig):
    family: str = "linear"


@dataclass
class LogisticConfig(ModelConfig):
    family: str = "logistic"


def widths(found: Any) -> Any:
    """One width, as a sweep writes it (`model.filters=8,16`), is a list of one."""
    return [found] if isinstance(found, int) else found


def check_layers(name: str, widths: Any) -> None:
    good = isinstance(widths, list) and widths and all(type(width) is int and width > 0 for width in widths)
    check(bool(good), name, widths, "a positive width, or a list of them such as [8, 16]")


@dataclass
class CnnConfig(ModelConfig):
    """Convolution blocks (convolution, batch norm, ReLU), pooled by 2 after each `pool_every` of them where the size
    still allows it; `readout` is the mean over positions, or every position side by side (flatten)."""

    family: str = "cnn"
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
        check_layers("model.filters", self.filters)
        check(self.kernel > 0, "model.kernel", self.kernel, "1 or more")
        check(self.pool_every > 0, "model.pool_every", self.pool_every, "1 or more")
        check_rate("model.dropout", self.dropout)
        one_of("model.readout", self.readout, ("average", "flatten"))


@dataclass
class RnnConfig(ModelConfig):
    family: str = "rnn"
    cell: str = "gru"
    units: Any = field(default_factory=lambda: [64])
    bidirectional: bool = False
    dropout: float = 0.0

    def __post_init__(self) -> None:
        self.units = widths(self.units)

    def check(self) -> None:
        super().check()
        one_of("model.cell", self.cell, ("simple", "lstm", "gru"))
        check_layers("model.units", self.units)
        check_rate("model.dropout", self.dropout)


MODELS = {"linear": LinearConfig, "logistic": LogisticConfig, "cnn": CnnConfig, "rnn": RnnConfig}
