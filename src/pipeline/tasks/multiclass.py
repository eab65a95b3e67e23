"""Predicting one of several classes."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pipeline.tasks.classification import Classification
from pipeline.tasks.task import Target

if TYPE_CHECKING:
    import keras
    import tensorflow as tf


class Multiclass(Classification):
    name = "multiclass"
    activation = "softmax"

    def num_outputs(self, num_classes: int) -> int:
        return num_classes

    def training_target(self, target: Target, offset: float, scale: float) -> NDArray[np.int32]:
        """Class indices (N,)."""
        return target.astype(np.int32)

    def loss(self, reduction: str) -> "keras.losses.Loss":
        import keras

        return keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction=reduction)

    def row_metric(self, target: "tf.Tensor", outputs: "tf.Tensor") -> "tf.Tensor":
        """1 where the class is right, else 0."""
        from keras import ops

        return ops.cast(ops.equal(ops.cast(target, "int64"), ops.argmax(outputs, axis=-1)), "float32")

    def chosen_class(self, outputs: NDArray[np.float32]) -> NDArray[np.int64]:
        chosen: NDArray[np.int64] = outputs.argmax(axis=1)
        return chosen
