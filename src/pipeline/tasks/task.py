"""What a task is: the one place for what differs between predicting a number and predicting a class."""

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import ConfigError, did_you_mean
from pipeline.tasks.scores.metric import Metric

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

    from pipeline.tasks.scores import Array, Scores


PREDICTION = "prediction"
Target = NDArray[np.float64 | np.int32]  # (N,): the number of each row, or the index of its class
Named = dict[str, NDArray[Any]]  # (N,) each: the columns of a prediction by their names, whatever they hold


class Task(ABC):
    """A task has no state. K is the number of classes, 0 where there are none, and N the number of rows.

    An answer is what a model gives for a row: a number (N,), or the probability of each class (N, K).

    A regression that outliers disturb less, for example, in the file tasks/robust.py. `row_score` must be
    its own, because a file of scores tells its task by this name::

        class Robust(Regression):
            name = "robust"
            primary = "mae"
            row_score = "absolute_error"
            gain_unit = "less absolute error"

            def loss(self, reduction: str) -> "keras.losses.Loss":
                import keras

                return keras.losses.Huber(reduction=reduction)

            def row_scores(self, target: Target, answers: "Array") -> "Array":
                return np.abs(answers - target.astype(np.float64))

    With `"robust": Robust()` in TASKS and "robust" in the `tasks` of the family `linear`, `task: robust` in a dataset's
    YAML file asks for it.
    """

    name: ClassVar[str]
    has_classes: ClassVar[bool]
    metrics: ClassVar[dict[str, Metric]]
    """The test metrics, under the names that they have in report.json."""
    primary: ClassVar[str]
    """The test metric that stands for all others where there is place for only one."""
    training_metric: ClassVar[str]
    """The metric that each epoch measures beside the loss; it is one of `metrics`."""
    last_layer: ClassVar[str]
    """The name of a served model's last layer."""
    activation: ClassVar[str | None]
    """Keras' name of the function that turns a head's raw outputs into probabilities; None where there are none."""
    row_score: ClassVar[str]
    """The name of the column in scores.parquet by which two models are compared, row by row."""
    gain_unit: ClassVar[str]
    """In words, what a row's gain is."""
    plot: ClassVar[str]
    """The name of the plot of the test rows, one of TEST_PLOTS in evaluation/plots.py."""
    references: ClassVar[tuple[str, ...]]
    """The names of the plain scikit-learn models that are fitted beside each model, of REFERENCES in
    evaluation/reference.py. Those that a dataset does not suit are left out; the first suits all."""
    baseline: ClassVar[str]
    """The name of the guess that knows only the training rows' target, one of BASELINES in the same file."""

    def metric(self, name: str, where: str) -> Metric:
        """The test metric of this name. Raises ConfigError for any other name; its text begins with `where`."""
        if name not in self.metrics:
            raise ConfigError(f"{where}: '{name}' is not a test metric {did_you_mean(name, self.metrics)}")
        return self.metrics[name]

    @abstractmethod
    def check_target(self, target: Target, name: str, classes: list[str]) -> str | None:
        """In words, why a column (N,) cannot be this task's target; None if it can."""

    @abstractmethod
    def num_outputs(self, num_classes: int) -> int:
        """The number of values that a model's head gives for a row."""

    @abstractmethod
    def training_target(self, target: Target, offset: float, scale: float) -> NDArray[np.float32 | np.int32]:
        """The raw target (N,) in the form that the loss takes. A number y becomes (y - offset) / scale."""

    @abstractmethod
    def loss(self, reduction: str) -> "keras.losses.Loss":
        """The loss on a head's raw outputs (B, num_outputs)."""

    @abstractmethod
    def row_metric(self, target: "tf.Tensor", outputs: "tf.Tensor") -> "tf.Tensor":
        """The training metric of each row (B,). `target` is as `training_target` gives it, and `outputs` are raw."""

    def chosen_class(self, outputs: NDArray[np.float32]) -> NDArray[np.int64]:
        """The class (B,) that raw outputs (B, num_outputs) stand for; for tasks with classes."""
        raise NotImplementedError

    @abstractmethod
    def columns(self, classes: list[str]) -> list[str]:
        """The names of the columns of a prediction; the first is PREDICTION."""

    @abstractmethod
    def by_column(self, outputs: NDArray[np.float32], classes: list[str]) -> Named:
        """The columns (N,) of a prediction, from what a served model gives (N, num_outputs)."""

    @abstractmethod
    def answers(self, columns: Named, classes: list[str]) -> "Array":
        """The columns (N,) of a prediction as answers (N,) or (N, K), in float64."""

    @abstractmethod
    def row_scores(self, target: Target, answers: "Array") -> "Array":
        """`row_score` of each row (N,)."""

    @abstractmethod
    def gain(self, row_scores: "Array") -> "Array":
        """The gain of each row (N,), of which more is better, from its row score."""

    @abstractmethod
    def scores(self, target: Target, answers: "Array") -> "Scores":
        """What computes the test metrics of these rows."""

    def report_parts(self, target: Target, answers: "Array", classes: list[str]) -> dict[str, Any]:
        """What report.json holds for this task beside the metrics."""
        return {}
