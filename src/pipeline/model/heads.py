"""What a task asks of a model: the size of its last layer, its loss and metric in training, and the served output."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pipeline.data.moments import mean_and_deviation, stretch
from pipeline.data.schema import Schema
from pipeline.model.inputs.scaling import rescale
from pipeline.tasks import TASKS
from pipeline.tasks.task import Target, Task

if TYPE_CHECKING:
    import keras
    import tensorflow as tf


@dataclass(frozen=True)
class Head:
    """The task, and the constants that it learned from the training target.

    `offset` and `scale` standardise a target that is a number: the core is trained on (y - offset) / scale.
    """

    task: Task
    num_outputs: int
    offset: float = 0.0
    scale: float = 1.0

    @classmethod
    def of(cls, schema: Schema, target: Target, standardize: bool) -> "Head":
        """The head for a schema's task; `target` (N,) is the training split's."""
        task = TASKS[schema.task]
        if task.has_classes or not standardize:
            return cls(task, schema.num_outputs)
        mean, deviation = mean_and_deviation(lambda: [target.astype(np.float64)])
        return cls(task, schema.num_outputs, float(mean), float(stretch(deviation)))

    @property
    def metric(self) -> str:
        return self.task.training_metric

    def training_target(self, target: Target) -> NDArray[np.float32 | np.int32]:
        """Turn a raw target (N,) into what the loss compares the core's outputs with."""
        return self.task.training_target(target, self.offset, self.scale)

    def loss(self, reduction: str = "sum_over_batch_size") -> "keras.losses.Loss":
        """Keras' loss on the core's raw outputs: its mean over the batch, or with `sum` its sum."""
        return self.task.loss(reduction)

    def new_metric(self) -> "keras.metrics.Metric":
        """A new Keras metric that is the mean of `row_metric`."""
        import keras

        return keras.metrics.MeanMetricWrapper(self.row_metric, name=self.metric)

    def row_metric(self, target: "tf.Tensor", outputs: "tf.Tensor") -> "tf.Tensor":
        """The training metric of each row (B,). Where the target is a number, it is in the target's own unit."""
        return self.task.row_metric(target, outputs) * self.scale

    def served_output(self, outputs: "keras.KerasTensor") -> "keras.KerasTensor":
        """Turn the core's raw outputs into what a user reads."""
        if self.task.activation is None:
            return rescale(outputs, self.scale, self.offset, self.task.last_layer)
        import keras

        return keras.layers.Activation(self.task.activation, name=self.task.last_layer)(outputs)
