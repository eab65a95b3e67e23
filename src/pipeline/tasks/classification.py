"""Predicting a class: what tasks with two and with more classes have in common."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pipeline.tasks.scores.metric import CLASS_METRICS
from pipeline.tasks.task import PREDICTION, Named, Target, Task

if TYPE_CHECKING:
    from pipeline.tasks.scores import Array, Scores


PROBABILITY = "probability_"


class Classification(Task):
    has_classes = True
    metrics = CLASS_METRICS
    primary = "accuracy"
    last_layer = "probability"
    training_metric = "accuracy"
    row_score = "correct"
    gain_unit = "accuracy"
    plot = "confusion"
    references = ("LogisticRegression", "HistGradientBoostingClassifier")
    baseline = "majority"

    def check_target(self, target: Target, name: str, classes: list[str]) -> str | None:
        if not classes:
            return f"target '{name}' is a number and has no classes, as task {self.name} needs. Set task: regression."
        if len(set(target.tolist())) < 2:
            return "every row is of one class, expected at least two classes."
        return None

    def columns(self, classes: list[str]) -> list[str]:
        return [PREDICTION, *(PROBABILITY + name for name in classes)]

    def by_column(self, outputs: NDArray[np.float32], classes: list[str]) -> Named:
        """The name of the most probable class, and the probability of each class."""
        named = np.array(classes, object)[outputs.argmax(axis=1)]
        return dict(zip(self.columns(classes), (named, *outputs.T), strict=True))

    def answers(self, columns: Named, classes: list[str]) -> "Array":
        """The probabilities (N, K)."""
        answers = np.empty((len(columns[PROBABILITY + classes[0]]), len(classes)))
        for k, name in enumerate(classes):
            answers[:, k] = columns[PROBABILITY + name]
        return answers

    def row_scores(self, target: Target, answers: "Array") -> "Array":
        """1 where the most probable class is right, else 0."""
        correct: Array = (answers.argmax(axis=1) == target).astype(np.float64)
        return correct

    def gain(self, row_scores: "Array") -> "Array":
        return row_scores

    def scores(self, target: Target, answers: "Array") -> "Scores":
        from pipeline.tasks.scores.classes import ClassScores

        return ClassScores(target.astype(np.int64), answers)

    def report_parts(self, target: Target, answers: "Array", classes: list[str]) -> dict[str, Any]:
        from pipeline.tasks.scores.classes import per_class

        return {"per_class": per_class(target.astype(np.int64), answers.argmax(axis=1), classes)}
