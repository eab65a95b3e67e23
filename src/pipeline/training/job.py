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
    """What is to be trained, on which rows, and how.

    `augment` maps a batch of features to randomly changed ones, or is None where nothing is to be changed. `xla` says
    whether the trainer gives its graph to XLA to compile. `strategy` is that of `tf.distribute`.
    """

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
        """The names of the values that are measured in each epoch, in the order in which trainers give them."""
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
        """Whether each batch is divided among replicas. This is so even with a single replica, because under a strategy
        TensorFlow wants the same calls for one replica as for several."""
        return self.config.strategy != "none"
