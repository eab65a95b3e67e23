"""What a trainer is given."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.config import TrainerConfig
from pipeline.model.heads import Head
from pipeline.training.examples import Examples

if TYPE_CHECKING:
    import keras
    import tensorflow as tf


@dataclass(frozen=True)
class Job:
    """What is to be trained, on what and how. `augment` maps a batch of features to changed ones, or is None; `xla`:
    whether the trainer hands its graph to XLA; `strategy`: of `tf.distribute`."""

    core: "keras.Model"
    augment: "keras.Model | None"
    head: Head
    train: Examples
    validation: Examples
    config: TrainerConfig
    seed: int
    xla: bool
    strategy: "tf.distribute.Strategy"

    @property
    def value_names(self) -> tuple[str, ...]:
        """What is measured of each epoch, in this order."""
        return ("loss", self.head.metric, "val_loss", f"val_{self.head.metric}", "learning_rate")

    @property
    def layers_with_seeds(self) -> "tuple[keras.Model, ...]":
        """The models whose layers draw random numbers in training."""
        return (self.core,) if self.augment is None else (self.core, self.augment)

    @property
    def steps_per_epoch(self) -> int:
        return -(-self.train.num_rows // self.config.batch_size)

    @property
    def shared(self) -> bool:
        """Whether each batch is shared out among replicas: TensorFlow wants the same calls where there is only one."""
        return self.config.strategy != "none"
