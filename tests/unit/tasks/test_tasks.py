"""Each task on the same checklist, and what a served model or a rare class asks of them."""

import numpy as np
import pytest

from pipeline.evaluation.plots import TEST_PLOTS
from pipeline.evaluation.reference import BASELINES, REFERENCES
from pipeline.tasks import TASKS, larger_is_better, objectives
from pipeline.tasks.scores import estimates

ROWS = 40


def data_of(name: str) -> tuple[np.ndarray, np.ndarray, int]:
    """Targets, answers that are close to them, and the number of classes."""
    num_classes = {"regression": 0, "binary": 2}.get(name, 3)
    random = np.random.default_rng(0)
    if not num_classes:
        target = random.normal(size=ROWS).astype(np.float32)
        return target, target + 0.1 * random.normal(size=ROWS), 0
    target = np.arange(ROWS) % num_classes
    answers = random.dirichlet(np.ones(num_classes), ROWS) + np.eye(num_classes)[target]
    return target, answers / 2, num_classes


@pytest.mark.parametrize("name", TASKS)
def test_a_task_keeps_its_word(name: str) -> None:
    task = TASKS[name]
    target, answers, num_classes = data_of(name)
    assert task.name == name
    assert {task.primary, task.training_metric} <= set(task.metrics)
    assert set(task.references) <= set(REFERENCES)
    assert task.plot in TEST_PLOTS
    assert objectives(task) == ("val_loss", *(f"val_{metric}" for metric in task.metrics))
    classes = ["red", "green", "blue"][:num_classes]
    columns = task.by_column(np.full((ROWS, task.num_outputs(num_classes)), 0.25, np.float32), classes)
    assert list(columns) == task.columns(classes)
    assert next(iter(columns)) == "prediction"
    assert task.answers(columns, classes).shape == answers.shape
    # answers that are close are better than a guess, in the direction that each metric names
    guess = BASELINES[task.baseline](target, num_classes, ROWS)
    good, poor = estimates(task.scores(target, answers)), estimates(task.scores(target, guess))
    assert set(good) == set(task.metrics)
    for metric in set(task.metrics) - {"calibration_error"}:  # a guess of the shares is calibrated
        better = good[metric] > poor[metric] if larger_is_better(f"val_{metric}") else good[metric] < poor[metric]
        assert better, metric
    gains = [task.gain(task.row_scores(target, some)).mean() for some in (answers, guess)]
    assert gains[0] > gains[1]


def test_an_answer_of_raw_outputs_is_the_class_with_the_larger_one() -> None:
    assert TASKS["binary"].chosen_class(np.array([[-0.1], [0.2]])).tolist() == [0, 1]
    assert TASKS["multiclass"].chosen_class(np.array([[0.1, 0.3, 0.2], [0.4, 0.3, 0.2]])).tolist() == [1, 0]
