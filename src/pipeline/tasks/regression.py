"""Predicting a number."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pipeline.tasks.scores.metric import REGRESSION_METRICS
from pipeline.tasks.task import PREDICTION, Named, Target, Task

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

    from pipeline.tasks.scores import Array, Scores


class Regression(Task):
    name = "regression"
    has_classes = False
    metrics = REGRESSION_METRICS
    primary = "r2"
    training_metric = "mae"
    last_layer = "prediction"
    activation = None
    row_score = "error"
    gain_unit = "less squared error"
    plot = "residuals"
    references = ("LinearRegression", "HistGradientBoostingRegressor", "LastValue")
    baseline = "mean"

    def check_target(self, target: Target, name: str, classes: list[str]) -> str | None:
        if (target == target[0]).all():
            return f"target '{name}' is {target[0]:g} in every row, expected at least two values."
        return None

    def num_outputs(self, num_classes: int) -> int:
        return 1

    def training_target(self, target: Target, offset: float, scale: float) -> NDArray[np.float32]:
        """(N, 1), float32."""
        standardized = (target.astype(np.float64) - offset) / scale
        return standardized.astype(np.float32)[:, np.newaxis]

    def loss(self, reduction: str) -> "keras.losses.Loss":
        import keras

        return keras.losses.MeanSquaredError(reduction)

    def row_metric(self, target: "tf.Tensor", outputs: "tf.Tensor") -> "tf.Tensor":
        """The absolute error."""
        from keras import ops

        return ops.abs(target - outputs)[:, 0]

    def columns(self, classes: list[str]) -> list[str]:
        return [PREDICTION]

    def by_column(self, outputs: NDArray[np.float32], classes: list[str]) -> Named:
        """The number in the target's own unit."""
        return {PREDICTION: outputs[:, 0]}

    def answers(self, columns: Named, classes: list[str]) -> "Array":
        """The one column (N,), in float64."""
        return columns[PREDICTION].astype(np.float64)

    def row_scores(self, target: Target, answers: "Array") -> "Array":
        """The squared error."""
        return (answers - target.astype(np.float64)) ** 2

    def gain(self, row_scores: "Array") -> "Array":
        return -row_scores

    def scores(self, target: Target, answers: "Array") -> "Scores":
        from pipeline.tasks.scores.regression import RegressionScores

        return RegressionScores(target.astype(np.float64), answers)
