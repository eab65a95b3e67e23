"""What a task asks of a model: its last layer, loss and metric in training, and the served output."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.config import BINARY, MULTICLASS, REGRESSION
from pipeline.data.schema import Schema


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
        deviation = float(target.astype(np.float64).std())
        return cls(schema.task, schema.num_outputs, float(target.astype(np.float64).mean()), deviation or 1.0)

    @property
    def metric(self) -> str:
        return "mae" if self.task == REGRESSION else "accuracy"

    def training_target(self, target: NDArray[Any]) -> NDArray[Any]:
        """(N,) raw target to what the loss compares with: (N, 1) float32, or (N,) class indices."""
        if self.task == MULTICLASS:
            return target.astype(np.int32)
        standardized = (target.astype(np.float64) - self.offset) / self.scale
        return standardized.astype(np.float32)[:, np.newaxis]

    def loss(self) -> Any:
        """Mean over the batch, on the core's raw outputs (logits for classes)."""
        import keras

        if self.task == REGRESSION:
            return keras.losses.MeanSquaredError()
        if self.task == BINARY:
            return keras.losses.BinaryCrossentropy(from_logits=True)
        return keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    def new_metric(self) -> Any:
        """A fresh Keras metric: mean absolute error in the target's own unit, or accuracy."""
        import keras

        if self.task == REGRESSION:
            return keras.metrics.MeanMetricWrapper(self._absolute_error, name=self.metric)
        if self.task == BINARY:
            return keras.metrics.BinaryAccuracy(threshold=0.0, name=self.metric)
        return keras.metrics.SparseCategoricalAccuracy(name=self.metric)

    def _absolute_error(self, y_true: Any, y_pred: Any) -> Any:
        import keras

        return keras.ops.mean(keras.ops.abs(y_true - y_pred), axis=-1) * self.scale

    def served_output(self, outputs: Any) -> Any:
        """Raw outputs to what a user reads: a number in the target's unit (B, 1), the probability of class 1
        (B, 1), or of each class (B, K)."""
        import keras

        if self.task == REGRESSION:
            return keras.layers.Rescaling(self.scale, self.offset, name="prediction")(outputs)
        activation = "sigmoid" if self.task == BINARY else "softmax"
        return keras.layers.Activation(activation, name="probability")(outputs)
