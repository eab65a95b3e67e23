"""What a trainer is given, and what it gives back."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.config import TrainerConfig
from pipeline.model.heads import Head

EpochValues = dict[str, float]


@dataclass(frozen=True)
class Examples:
    """`features` (N, ...) and `target` as the loss compares with; `weight` (N,) or None."""

    features: NDArray[Any]
    target: NDArray[Any]
    weight: NDArray[np.float32] | None = None

    @property
    def num_rows(self) -> int:
        return len(self.features)


@dataclass(frozen=True)
class Job:
    """One training. `on_epoch(epoch, values)` is called after each epoch (from 1) with everything measured."""

    core: Any
    head: Head
    train: Examples
    validation: Examples
    config: TrainerConfig
    seed: int
    on_epoch: Callable[[int, EpochValues], None]

    @property
    def steps_per_epoch(self) -> int:
        return -(-self.train.num_rows // self.config.batch_size)


def class_weights(target: NDArray[Any], num_classes: int) -> NDArray[np.float32]:
    """Balanced weights N / (K * N_k) by row (King and Zeng 2001; scikit-learn's `balanced`)."""
    labels = target.reshape(-1).astype(int)
    counts = np.bincount(labels, minlength=num_classes)
    weights: NDArray[np.float32] = (len(labels) / (num_classes * counts))[labels].astype(np.float32)
    return weights
