"""Metrics against scikit-learn, on the rows as they are and on weighted resamples."""

import numpy as np
import pytest
from sklearn import metrics as sk

from pipeline.evaluation.resampling import bootstrap_weights
from pipeline.tasks.scores.classes import ClassScores, per_class
from pipeline.tasks.scores.ranking import Ranking
from pipeline.tasks.scores.regression import RegressionScores

ROWS = 200


@pytest.fixture
def weights() -> np.ndarray:
    return np.concatenate([np.ones((1, ROWS)), *bootstrap_weights(ROWS, 5, seed=3)])


def test_regression(weights: np.ndarray) -> None:
    random = np.random.default_rng(0)
    target = random.normal(size=ROWS)
    predicted = target + random.normal(size=ROWS)
    found = RegressionScores(target, predicted).values(weights)
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
    found = ClassScores(target, scores).values(weights)
    guess = scores.argmax(axis=1)
    for i, w in enumerate(weights):
        assert found["accuracy"][i] == pytest.approx(sk.accuracy_score(target, guess, sample_weight=w))
        assert found["macro_f1"][i] == pytest.approx(sk.f1_score(target, guess, average="macro", sample_weight=w))
        assert found["log_loss"][i] == pytest.approx(sk.log_loss(target, scores, sample_weight=w))
        balanced = sk.balanced_accuracy_score(target, guess, sample_weight=w)
        assert found["balanced_accuracy"][i] == pytest.approx(balanced)
        assert found["mcc"][i] == pytest.approx(sk.matthews_corrcoef(target, guess, sample_weight=w))
        asked = scores[:, 1] if num_classes == 2 else scores
        auc = sk.roc_auc_score(target, asked, multi_class="ovr", sample_weight=w)
        assert found["roc_auc"][i] == pytest.approx(auc)
        truth = target if num_classes == 2 else np.eye(num_classes)[target]
        assert found["brier"][i] == pytest.approx(sk.brier_score_loss(target, asked, sample_weight=w))
        assert found["pr_auc"][i] == pytest.approx(sk.average_precision_score(truth, asked, sample_weight=w))


@pytest.mark.parametrize("num_classes", [2, 4])
def test_one_more_row_is_that_row(num_classes: int) -> None:
    """What is added to the sums is what the rows themselves would give, one of each class, by their shares."""
    random = np.random.default_rng(8)
    target = random.integers(0, num_classes, ROWS)
    # some are certain, so that a row more ties with them
    scores = np.where(
        random.random((ROWS, 1)) < 0.3, np.eye(num_classes)[target], random.dirichlet(np.ones(num_classes), ROWS)
    )
    classes = np.arange(num_classes)
    shares = np.bincount(target) / ROWS
    weights = random.exponential(size=(5, ROWS + 1))
    longer = np.concatenate([weights[:, :-1], weights[:, -1:] * shares], axis=1)
    sides = ClassScores(target, scores).with_one_more(weights, (1.0, 1.0))
    for found, answers in zip(sides, ((classes + 1) % num_classes, classes), strict=True):
        rows = ClassScores(np.concatenate([target, classes]), np.concatenate([scores, np.eye(num_classes)[answers]]))
        expected = rows.values(longer)
        for name, values in found.items():
            assert values == pytest.approx(expected[name], rel=1e-12), name


def test_calibration_error_by_hand() -> None:
    """Two bins: of three rows at 0.6 one is right, of one row at 0.9 one."""
    first = np.array([0.6, 0.6, 0.6, 0.9])
    scores = np.stack([first, 1 - first], axis=1)
    found = ClassScores(np.array([0, 1, 1, 0]), scores).values(np.array([[1.0, 1.0, 1.0, 2.0]]))
    assert found["calibration_error"][0] == pytest.approx((3 * (0.6 - 1 / 3) + 2 * 0.1) / 5)


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
    for name, values in ClassScores(target, np.full((4, 3), 1 / 3)).values(weights).items():
        assert np.isfinite(values).all(), name


@pytest.mark.parametrize("scale", [1e-30, 1e-9, 1.0, 1e30])
@pytest.mark.parametrize("offset", [0.0, 1e6, -1e8])
def test_small_large_and_far_numbers(scale: float, offset: float, weights: np.ndarray) -> None:
    """Each value is that of the same numbers near 1, computed by scikit-learn."""
    random = np.random.default_rng(4)
    plain = random.normal(size=ROWS) + offset
    predicted = plain + random.normal(size=ROWS)
    found = RegressionScores(plain * scale, predicted * scale).values(weights)
    for i, w in enumerate(weights):
        r2 = sk.r2_score(plain - offset, predicted - offset, sample_weight=w)
        assert found["r2"][i] == pytest.approx(r2, rel=1e-6)
        assert found["mae"][i] / scale == pytest.approx(sk.mean_absolute_error(plain, predicted, sample_weight=w))
        rmse = sk.root_mean_squared_error(plain, predicted, sample_weight=w)
        assert found["rmse"][i] / scale == pytest.approx(rmse)


@pytest.mark.parametrize("value", [0.0, 0.1, 1e-30, 1e30])
@pytest.mark.parametrize("rows", [1, 2, 7])
def test_r2_of_equal_targets_is_scikit_learns(value: float, rows: int) -> None:
    target, ones = np.full(rows, value), np.ones((1, rows))
    off = target + np.where(np.arange(rows) == 0, value or 1.0, 0)
    for predicted, expected in ((target, 1.0), (off, 0.0)):
        assert RegressionScores(target, predicted).values(ones)["r2"][0] == expected
        # scikit-learn's mean of some equal numbers is not that number, and leaves it a spread of 1e-34
        if rows > 1 and value == 0:
            assert sk.r2_score(target, predicted) == expected


def test_r2_of_a_resample_of_one_row_beside_far_ones() -> None:
    target = np.array([1e9, 0.1, 0.1, 0.1, 0.3])
    weights = np.array([[0.0, 2.0, 1.0, 2.0, 0.0], [0.0, 1.0, 1.0, 1.0, 2.0]])
    predicted = target + np.array([0.0, 0.01, 0.0, 0.0, 0.05])
    found = RegressionScores(target, predicted).values(weights)["r2"]
    assert found[0] == 0.0
    assert found[1] == pytest.approx(sk.r2_score(target, predicted, sample_weight=weights[1]))


@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e30])
def test_auc_of_scores_with_ties_at_any_scale(scale: float, weights: np.ndarray) -> None:
    random = np.random.default_rng(6)
    target = random.integers(0, 2, ROWS)
    score = random.integers(0, 4, ROWS) + target
    ranking = Ranking(target == 1, score * scale)
    for w in weights:
        ((roc,), (pr,)) = ranking.areas(w[np.newaxis])[0]
        assert roc == pytest.approx(sk.roc_auc_score(target, score, sample_weight=w), abs=1e-12)
        assert pr == pytest.approx(sk.average_precision_score(target, score, sample_weight=w), abs=1e-12)


@pytest.mark.parametrize("probability", [0.0, 1e-30, 1e-7, 0.5, 1.0])
def test_log_loss_of_a_sure_answer_is_scikit_learns(probability: float) -> None:
    target = np.array([0, 1, 1])
    scores = np.array([[1.0, 0.0], [1 - probability, probability], [0.25, 0.75]], np.float32)
    found = ClassScores(target, scores.astype(np.float64)).values(np.ones((1, 3)))["log_loss"][0]
    assert found == pytest.approx(sk.log_loss(target, scores), rel=1e-6, abs=2e-7)
