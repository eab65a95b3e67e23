"""The model families. A family turns features into a representation; the task's head does the rest.

Adding one: a file beside this with `build`, a line in FAMILIES, a schema in config/model.py, a YAML in conf/model/.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pipeline.config import BINARY, MULTICLASS, REGRESSION, TASKS, DatasetConfig
from pipeline.errors import ConfigError, did_you_mean
from pipeline.model.families import cnn, linear, logistic, rnn
from pipeline.model.kinds import FEATURE_KIND, GRID, SEQUENCE, VECTOR


@dataclass(frozen=True)
class Family:
    """`build(config, features_tensor)` returns the representation (B, D) that the head maps to outputs. `start` is how
    Keras initializes the head's kernel: a convex model needs no random start, and from 0 the weight of a column that is
    constant in training stays 0, so that a new value there says nothing."""

    build: Callable[[Any, Any], Any]
    accepts: tuple[str, ...]
    tasks: tuple[str, ...]
    start: str = "glorot_uniform"


FAMILIES = {
    "linear": Family(linear.build, accepts=(VECTOR, SEQUENCE, GRID), tasks=(REGRESSION,), start="zeros"),
    "logistic": Family(logistic.build, accepts=(VECTOR, SEQUENCE, GRID), tasks=(BINARY, MULTICLASS), start="zeros"),
    "cnn": Family(cnn.build, accepts=(SEQUENCE, GRID), tasks=TASKS),
    "rnn": Family(rnn.build, accepts=(SEQUENCE, GRID), tasks=TASKS),
}


def check_pair(family: str, dataset: DatasetConfig) -> None:
    """Raise ConfigError unless `family` can take what `dataset` gives and answer what it asks."""
    if family not in FAMILIES:
        raise ConfigError(f"model.family: '{family}' is unknown {did_you_mean(family, FAMILIES)}")
    kind = FEATURE_KIND[dataset.modality]
    if kind not in FAMILIES[family].accepts:
        fits = [name for name, other in FAMILIES.items() if kind in other.accepts and dataset.task in other.tasks]
        raise ConfigError(
            f"model {family} takes {' or '.join(FAMILIES[family].accepts)} features, but dataset {dataset.name} "
            f"({dataset.modality}) gives a {kind}. Choose one of: {', '.join(fits)}."
        )
    if dataset.task not in FAMILIES[family].tasks:
        fits = [name for name, other in FAMILIES.items() if kind in other.accepts and dataset.task in other.tasks]
        raise ConfigError(
            f"model {family} answers {' or '.join(FAMILIES[family].tasks)}, but dataset {dataset.name} asks for "
            f"{dataset.task}. Choose one of: {', '.join(fits)}."
        )
