"""What a trainer is given."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pipeline.config import TrainerConfig
from pipeline.data.rows_file import RowsFile
from pipeline.model.heads import Head

if TYPE_CHECKING:
    from pipeline.training.lifecycle import Lifecycle

EVALUATED_ROWS, EVALUATED_BYTES = 1024, 2**26


@dataclass(frozen=True)
class Examples:
    """`features` (N, ...), in memory or in a file, and `target` as the loss compares with; `weight` (N,) or None;
    `at_once`: how many rows are evaluated together."""

    features: NDArray[Any] | RowsFile
    target: NDArray[Any]
    weight: NDArray[np.float32] | None
    at_once: int

    @property
    def num_rows(self) -> int:
        return len(self.features)

    @property
    def streamed(self) -> bool:
        return isinstance(self.features, RowsFile)


@dataclass(frozen=True)
class Job:
    """One training. `augment` maps a batch of features to changed ones, or is None; `xla`: whether
    the trainer hands its graph to XLA; `strategy`: of `tf.distribute`; `life` is told of each epoch."""

    core: Any
    augment: Any
    head: Head
    train: Examples
    validation: Examples
    config: TrainerConfig
    seed: int
    xla: bool
    strategy: Any
    life: "Lifecycle"

    @property
    def value_names(self) -> tuple[str, ...]:
        """What is measured of each epoch, in this order."""
        return ("loss", self.head.metric, "val_loss", f"val_{self.head.metric}", "learning_rate")

    @property
    def layers_with_seeds(self) -> tuple[Any, ...]:
        """The models whose layers draw random numbers in training."""
        return (self.core,) if self.augment is None else (self.core, self.augment)

    @property
    def steps_per_epoch(self) -> int:
        return -(-self.train.num_rows // self.config.batch_size)


def class_weights(target: NDArray[Any], num_classes: int) -> NDArray[np.float32]:
    """Balanced weights N / (K * N_k) by row (King and Zeng 2001; scikit-learn's `balanced`)."""
    labels = target.reshape(-1).astype(int)
    counts = np.bincount(labels, minlength=num_classes)[labels]
    weights: NDArray[np.float32] = (len(labels) / (num_classes * counts)).astype(np.float32)
    return weights


def rows_at_once(core: Any, batch_size: int) -> int:
    """How many rows the core evaluates together: EVALUATED_ROWS at most; fewer where a layer's outputs for them would
    exceed EVALUATED_BYTES, but then no fewer than a batch's, as training on those takes more."""
    widest: int = max(4 * math.prod(layer.output.shape[1:]) for layer in core.layers)
    return min(EVALUATED_ROWS, max(batch_size, EVALUATED_BYTES // widest))
