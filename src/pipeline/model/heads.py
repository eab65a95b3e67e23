"""What a task asks of a model: its last layer, loss and metric in training, and the served output."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.config import BINARY, MULTICLASS, REGRESSION
from pipeline.data.moments import mean_and_deviation, stretch
from pipeline.data.prediction_columns import NUMBER, PROBABILITY
from pipeline.data.schema import Schema
from pipeline.model.preprocessing.scaling import rescale


@dataclass(frozen=True)
class Head:
    """`offset` and `scale` standardise a regression's target: training sees (y - offset) / scale."""

    task: str
    num_outputs: int
    offset: float = 0.0
    scale: float = 1.0

    @classmethod
    def of(cls, schema: Schema, target: NDArray[Any], standardize: bool) -> "Head":
        """The head for a schema's task; `target` (N,) is the training split's."""
        if schema.task != REGRESSION or not standardize:
            return cls(schema.task, schema.num_outputs)
        mean, deviation = mean_and_deviation(lambda: [target.astype(np.float64)])
        return cls(schema.task, schema.num_outputs, float(mean), float(stretch(deviation)))

    @property
    def metric(self) -> str:
        return "mae" if self.task == REGRESSION else "accuracy"

    def training_target(self, target: NDArray[Any]) -> NDArray[Any]:
        """(N,) raw target to what the loss compares with: (N, 1) float32, or (N,) class indices."""
        if self.task == MULTICLASS:
            return target.astype(np.int32)
        standardized = (target.astype(np.float64) - self.offset) / self.scale
        return standardized.astype(np.float32)[:, np.newaxis]

    def loss(self, reduction: str = "sum_over_batch_size") -> Any:
        """Mean over the batch (or `sum`), on the core's raw outputs (logits for classes)."""
        import keras

        if self.task == REGRESSION:
            return keras.losses.MeanSquaredError(reduction)
        if self.task == BINARY:
            return keras.losses.BinaryCrossentropy(from_logits=True, reduction=reduction)
        return keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction=reduction)

    def new_metric(self) -> Any:
        """A fresh Keras metric, the mean of `row_metric`."""
        import keras

        return keras.metrics.MeanMetricWrapper(self.row_metric, name=self.metric)

    def row_metric(self, target: Any, outputs: Any) -> Any:
        """Each row's metric (B,): absolute error in the target's own unit, or 1 where the class is right."""
        from keras import ops

        if self.task == REGRESSION:
            return ops.abs(target - outputs)[:, 0] * self.scale
        if self.task == BINARY:
            return ops.cast(ops.equal(target > 0.5, outputs > 0), "float32")[:, 0]
        return ops.cast(ops.equal(ops.cast(target, "int64"), ops.argmax(outputs, axis=-1)), "float32")

    def served_output(self, outputs: Any) -> Any:
        """Raw outputs to what a user reads: a number in the target's unit (B, 1), the probability of class 1
        (B, 1), or of each class (B, K)."""
        if self.task == REGRESSION:
            return rescale(outputs, self.scale, self.offset, NUMBER)
        import keras

        activation = "sigmoid" if self.task == BINARY else "softmax"
        return keras.layers.Activation(activation, name=PROBABILITY)(outputs)
