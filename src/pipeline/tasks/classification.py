"""Predicting a class: what tasks with two and with more classes have in common."""

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from pipeline.tasks.metric import LUCKY, PROPORTION, Metric
from pipeline.tasks.task import Task

if TYPE_CHECKING:
    from pipeline.tasks.scores import Array, Scores


class Classification(Task):
    has_classes = True
    metrics: ClassVar[dict[str, Metric]] = {
        "accuracy": Metric(higher_is_better=True, kind=PROPORTION),
        "balanced_accuracy": Metric(higher_is_better=True, kind=LUCKY),
        "macro_f1": Metric(higher_is_better=True, kind=LUCKY),
        "mcc": Metric(higher_is_better=True, kind=LUCKY),
        "roc_auc": Metric(higher_is_better=True, kind=LUCKY),
        "pr_auc": Metric(higher_is_better=True, kind=LUCKY),
        "log_loss": Metric(higher_is_better=False),
        "brier": Metric(higher_is_better=False),
        "calibration_error": Metric(higher_is_better=False),
    }
    primary = "accuracy"
    last_layer = "probability"
    training_metric = "accuracy"
    row_score = "correct"
    gain_unit = "accuracy"

    def check_target(self, target: NDArray[Any], name: str, classes: list[str]) -> str | None:
        if not classes:
            return f"target '{name}' is a number and has no classes, as task {self.name} needs. Set task: regression."
        if len(set(target.tolist())) < 2:
            return "every row is of one class, expected at least two classes."
        return None

    def columns(self, num_classes: int) -> list[str]:
        return [f"p_{k}" for k in range(num_classes)]

    def row_scores(self, target: NDArray[Any], answers: "Array") -> "Array":
        """1 where the most probable class is right, else 0."""
        correct: Array = (answers.argmax(axis=1) == target).astype(np.float64)
        return correct

    def gain(self, row_scores: "Array") -> "Array":
        return row_scores

    def scores(self, target: NDArray[Any], answers: "Array") -> "Scores":
        from pipeline.tasks.scores.classes import ClassScores

        return ClassScores(target.astype(np.int64), answers)

    def reference(self, train_ND: "Array", target: NDArray[Any], test_MD: "Array") -> tuple[str, "Array"]:
        from pipeline.tasks.scores.references import logistic

        return "LogisticRegression", logistic(train_ND, target, test_MD)

    def baseline(self, target: NDArray[Any], num_classes: int, num_rows: int) -> tuple[str, "Array"]:
        """The share of each class among the training rows, as its probability for every row."""
        shares = np.bincount(target, minlength=num_classes) / len(target)
        return "majority", np.tile(shares, (num_rows, 1))

    def report_parts(self, target: NDArray[Any], answers: "Array", classes: list[str]) -> dict[str, Any]:
        from pipeline.tasks.scores.classes import per_class

        return {"per_class": per_class(target, answers.argmax(axis=1), classes)}
