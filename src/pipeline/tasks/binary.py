"""Predicting one of two classes."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pipeline.tasks.classification import Classification
from pipeline.tasks.task import Named, Target

if TYPE_CHECKING:
    import keras
    import tensorflow as tf


class Binary(Classification):
    name = "binary"
    activation = "sigmoid"

    def num_outputs(self, num_classes: int) -> int:
        """One value, the log-odds of class 1."""
        return 1

    def training_target(self, target: Target, offset: float, scale: float) -> NDArray[np.float32]:
        """0 or 1 (N, 1), float32."""
        return target.astype(np.float32)[:, np.newaxis]

    def loss(self, reduction: str) -> "keras.losses.Loss":
        import keras

        return keras.losses.BinaryCrossentropy(from_logits=True, reduction=reduction)

    def row_metric(self, target: "tf.Tensor", outputs: "tf.Tensor") -> "tf.Tensor":
        """1 where the class is right, else 0."""
        from keras import ops

        return ops.cast(ops.equal(target > 0.5, outputs > 0), "float32")[:, 0]

    def chosen_class(self, outputs: NDArray[np.float32]) -> NDArray[np.int64]:
        return (outputs[:, 0] > 0).astype(np.int64)

    def check_target(self, target: Target, name: str, classes: list[str]) -> str | None:
        if len(classes) > 2:
            return (
                f"found {len(classes)} classes ({', '.join(classes)}), expected two for task {self.name}. "
                "Set task: multiclass."
            )
        return super().check_target(target, name, classes)

    def by_column(self, outputs: NDArray[np.float32], classes: list[str]) -> Named:
        """A served model gives the probability of class 1 alone; that of class 0 is what remains."""
        return super().by_column(np.concatenate([1 - outputs, outputs], axis=1), classes)
