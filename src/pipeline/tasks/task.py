"""What a task is: the one place that says what differs between predicting a number and predicting a class."""

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import ConfigError, did_you_mean
from pipeline.tasks.scores.metric import Metric

if TYPE_CHECKING:
    from pipeline.tasks.scores import Array, Scores


class Task(ABC):
    """A task is stateless; K is the number of classes, 0 where there are none, and N that of rows.

    An answer is what a model gives for a row: a number (N,), or the probability of each class (N, K).
    """

    name: ClassVar[str]
    has_classes: ClassVar[bool]
    metrics: ClassVar[dict[str, Metric]]
    """Test metrics by name, as report.json has them."""
    primary: ClassVar[str]
    """The test metric that stands for all others where one has to."""
    training_metric: ClassVar[str]
    """What is measured of each epoch beside the loss; it is one of `metrics`."""
    last_layer: ClassVar[str]
    """The name of a served model's last layer, by which its task is known."""
    activation: ClassVar[str | None]
    """Keras' name of what makes probabilities of a head's raw outputs; None where they are no probabilities."""
    row_score: ClassVar[str]
    """The column of scores.parquet: what two models are compared by, row by row."""
    gain_unit: ClassVar[str]
    """What a row's gain is, in words."""

    def metric(self, name: str, where: str) -> Metric:
        """A test metric; raises ConfigError, which begins with `where`, for another name."""
        if name not in self.metrics:
            raise ConfigError(f"{where}: '{name}' is not a test metric {did_you_mean(name, self.metrics)}")
        return self.metrics[name]

    @abstractmethod
    def check_target(self, target: NDArray[Any], name: str, classes: list[str]) -> str | None:
        """What is wrong with a column (N,) as this task's target, in words, or None."""

    @abstractmethod
    def num_outputs(self, num_classes: int) -> int:
        """How many values a model's head gives for a row."""

    @abstractmethod
    def training_target(self, target: NDArray[Any], offset: float, scale: float) -> NDArray[Any]:
        """A raw target (N,) as the loss compares with; a number becomes (y - offset) / scale."""

    @abstractmethod
    def loss(self, reduction: str) -> Any:
        """Keras' loss on a head's raw outputs (B, num_outputs)."""

    @abstractmethod
    def row_metric(self, target: Any, outputs: Any) -> Any:
        """Each row's training metric (B,), of targets as `training_target` gives them and of raw outputs."""

    def chosen_class(self, outputs: NDArray[Any]) -> NDArray[Any]:
        """The class (B,) that raw outputs (B, num_outputs) stand for; for tasks with classes."""
        raise NotImplementedError

    @abstractmethod
    def columns(self, num_classes: int) -> list[str]:
        """The columns of a prediction."""

    def by_column(self, answers: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """What a served model answers (N, num_outputs), as the columns (N,) of a prediction."""
        return dict(zip(self.columns(answers.shape[1]), answers.T, strict=True))

    def answers(self, columns: list[NDArray[Any]]) -> "Array":
        """The columns (N,) of a prediction as answers (N, K), in float64."""
        answers = np.empty((len(columns[0]), len(columns)))
        for k, values in enumerate(columns):
            answers[:, k] = values
        return answers

    @abstractmethod
    def row_scores(self, target: NDArray[Any], answers: "Array") -> "Array":
        """`row_score` of each row (N,)."""

    @abstractmethod
    def gain(self, row_scores: "Array") -> "Array":
        """Row scores (N,) so that more is better."""

    @abstractmethod
    def scores(self, target: NDArray[Any], answers: "Array") -> "Scores":
        """The test metrics of these rows."""

    @abstractmethod
    def reference(
        self, train_ND: "Array", target: NDArray[Any], test_MD: "Array", num_classes: int
    ) -> tuple[str, "Array"]:
        """Name of a plain scikit-learn model, and its answers to the M test rows after learning from the N others."""

    @abstractmethod
    def baseline(self, target: NDArray[Any], num_classes: int, num_rows: int) -> tuple[str, "Array"]:
        """Name of a guess that knows the training rows' target alone, and that guess for so many rows."""

    def report_parts(self, target: NDArray[Any], answers: "Array", classes: list[str]) -> dict[str, Any]:
        """What report.json holds beside the metrics."""
        return {}
