"""The columns of a prediction, which follow from the task, and how a served model tells its task."""

from typing import Any

from numpy.typing import NDArray

from pipeline.config import BINARY, MULTICLASS, REGRESSION

# the name of a served model's last layer
NUMBER, PROBABILITY = "prediction", "probability"


def prediction_columns(task: str, num_classes: int) -> list[str]:
    """`prediction` for a number, `p_0` .. `p_{K-1}` for the probabilities of classes."""
    return ["prediction"] if task == REGRESSION else [f"p_{k}" for k in range(num_classes)]


def task_of(last_layer: str, width: int) -> str:
    """The task of a served model, whose file holds no schema: by its last layer's name and how many values it gives."""
    if last_layer == NUMBER:
        return REGRESSION
    return BINARY if width == 1 else MULTICLASS


def by_column(task: str, answers: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """A served model's answers (N, K), of `binary` the probability of class 1 (N, 1), as columns (N,) each."""
    values = [1 - answers[:, 0], answers[:, 0]] if task == BINARY else list(answers.T)
    return dict(zip(prediction_columns(task, len(values)), values, strict=True))
