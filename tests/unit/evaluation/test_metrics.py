"""Metrics against scikit-learn, on the rows as they are and on weighted resamples."""

import numpy as np
import pytest
from sklearn import metrics as sk

from pipeline.evaluation.intervals import intervals, resample_weights
from pipeline.evaluation.metrics import class_metrics, per_class, regression_metrics

ROWS = 200


@pytest.fixture
def weights() -> np.ndarray:
    return np.concatenate([np.ones((1, ROWS)), resample_weights(ROWS, 5, seed=3)])


def test_regression(weights: np.ndarray) -> None:
    random = np.random.default_rng(0)
    target = random.normal(size=ROWS)
    predicted = target + random.normal(size=ROWS)
    found = {name: metric(weights) for name, metric in regression_metrics(target, predicted).items()}
    for i, w in enumerate(weights):
        assert found["mae"][i] == pytest.approx(sk.mean_absolute_error(target, predicted, sample_weight=w))
        assert found["rmse"][i] == pytest.approx(sk.root_mean_squared_error(target, predicted, sample_weight=w))
        assert found["r2"][i] == pytest.approx(sk.r2_score(target, predicted, sample_weight=w))


@pytest.mark.parametrize("num_classes", [2, 4])
def test_classes(num_classes: int, weights: np.ndarray) -> None:
    random = np.random.default_rng(1)
    target = random.integers(0, num_classes, ROWS)
    raw = random.integers(1, 6, (ROWS, num_classes)) + 3.0 * np.eye(num_classes)[target]
    scores = raw / raw.sum(axis=1, keepdims=True)
    found = {name: metric(weights) for name, metric in class_metrics(target, scores).items()}
    guess = scores.argmax(axis=1)
    for i, w in enumerate(weights):
        assert found["accuracy"][i] == pytest.approx(sk.accuracy_score(target, guess, sample_weight=w))
        assert found["macro_f1"][i] == pytest.approx(sk.f1_score(target, guess, average="macro", sample_weight=w))
        assert found["log_loss"][i] == pytest.approx(sk.log_loss(target, scores, sample_weight=w))
        asked = scores[:, 1] if num_classes == 2 else scores
        auc = sk.roc_auc_score(target, asked, multi_class="ovr", sample_weight=w)
        assert found["roc_auc"][i] == pytest.approx(auc)


def test_per_class_is_scikit_learns() -> None:
    random = np.random.default_rng(2)
    target, guess = random.integers(0, 3, ROWS), random.integers(0, 3, ROWS)
    table = per_class(target, guess, ["a", "b", "c"])
    expected = sk.precision_recall_fscore_support(target, guess)
    for k, name in enumerate("abc"):
        assert list(table[name].values()) == pytest.approx([column[k] for column in expected])


def test_a_resample_without_a_class_is_still_scored() -> None:
    target = np.array([0, 0, 1, 2])
    weights = np.array([[2.0, 2.0, 0.0, 0.0], [1.0, 1.0, 2.0, 0.0]])
    for name, metric in class_metrics(target, np.full((4, 3), 1 / 3)).items():
        assert np.isfinite(metric(weights)).all(), name


def test_interval_holds_the_value_and_narrows_with_more_rows() -> None:
    def accuracy_of(rows: int) -> tuple[float, float, float]:
        target = np.arange(rows) % 2
        hit = np.arange(rows) % 10 != 0
        scores = np.eye(2)[np.where(hit, target, 1 - target)]
        found = intervals(class_metrics(target, scores), rows, 500, 0.95, seed=1)["accuracy"]
        return found.low, found.value, found.high

    few, many = accuracy_of(100), accuracy_of(2000)
    for low, value, high in (few, many):
        assert low < value < high
        assert value == pytest.approx(0.9)
    assert many[2] - many[0] < few[2] - few[0]
    # the normal approximation for a share of 2,000 rows
    assert many[2] - many[0] == pytest.approx(2 * 1.96 * np.sqrt(0.09 / 2000), rel=0.2)


def test_intervals_depend_on_the_seed_alone() -> None:
    metrics = regression_metrics(np.arange(30.0), np.arange(30.0)[::-1])
    assert intervals(metrics, 30, 200, 0.9, seed=1) == intervals(metrics, 30, 200, 0.9, seed=1)
    assert intervals(metrics, 30, 200, 0.9, seed=1) != intervals(metrics, 30, 200, 0.9, seed=2)
