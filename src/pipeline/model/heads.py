"""What a task asks of a model: its last layer, loss and metric in training, and the served output."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.data.schema import Schema
from pipeline.model.preprocessing.scaling import rescale
from pipeline.tasks import TASKS
from pipeline.tasks.task import Task


@dataclass(frozen=True)
class Head:
    """`offset` and `scale` standardise a target that is a number: training sees (y - offset) / scale."""

    task: Task
    num_outputs: int
    offset: float = 0.0
    scale: float = 1.0

    @classmethod
    def of(cls, schema: Schema, target: NDArray[Any], standardize: bool) -> "Head":
        """The head for a schema's task; `target` (N,) is the training split's."""
        task = TASKS[schema.task]
        if task.has_classes or not standardize:
            return cls(task, schema.num_outputs)
        values = target.astype(np.float64)
        # the rounded mean of equal values need not be that value, and would leave them a deviation
        constant = bool(values.min() == values.max())
        offset, scale = (values[0], 1.0) if constant else (values.mean(), values.std())
        return cls(task, schema.num_outputs, float(offset), float(scale))

    @property
    def metric(self) -> str:
        return self.task.training_metric

    def training_target(self, target: NDArray[Any]) -> NDArray[Any]:
        """(N,) raw target to what the loss compares with."""
        return self.task.training_target(target, self.offset, self.scale)

    def loss(self, reduction: str = "sum_over_batch_size") -> Any:
        """Keras' loss on the core's raw outputs: mean over the batch, or `sum`."""
        return self.task.loss(reduction)

    def new_metric(self) -> Any:
        """A fresh Keras metric, the mean of `row_metric`."""
        import keras

        return keras.metrics.MeanMetricWrapper(self.row_metric, name=self.metric)

    def row_metric(self, target: Any, outputs: Any) -> Any:
        """Each row's training metric (B,), of a number in the target's own unit."""
        return self.task.row_metric(target, outputs) * self.scale

    def served_output(self, outputs: Any) -> Any:
        """Raw outputs to what a user reads."""
        if self.task.activation is None:
            return rescale(outputs, self.scale, self.offset, "prediction")
        import keras

        return keras.layers.Activation(self.task.activation, name="probability")(outputs)
