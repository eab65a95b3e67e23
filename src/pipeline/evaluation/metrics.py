"""Test metrics as weighted sums over rows, so that a bootstrap resample is just another weight vector.

A weight w_n is how often row n stands in the resample; all ones is the test split itself. Every function takes
weights (R, N) of R resamples and returns R values; scikit-learn's figures are the tests' yardstick.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from pipeline.evaluation.intervals import Metrics, OneMoreRow, Scored

Array = NDArray[np.float64]

# As scikit-learn's log_loss, for probabilities that a model answers in float32. Below it, the two classes of a binary
# model would count differently: its p_0 is 1 - p_1, which no probability near 1 lets come nearer to 0.
SMALLEST_PROBABILITY = float(np.finfo(np.float32).eps)


def regression_metrics(target: Array, predicted: Array) -> Metrics:
    """Mean absolute error, root mean squared error and R2 (target and predicted (N,)) as functions of weights.

    R2 of rows whose targets are all equal, one row included, is 1 where they are predicted without error and else 0,
    as scikit-learn's `r2_score`; for a single row that one gives NaN, which no minimum can be compared with.
    """
    error = predicted - target
    # near the target's mean, sums of squares lose no digits to an offset
    centred = target - target.mean()

    def r2(w: Array) -> Array:
        unexplained = w @ error**2
        distance = centred - (w @ centred / w.sum(axis=1))[:, np.newaxis]
        spread = np.einsum("rn,rn->r", w, distance**2)
        # equal targets differ from their own rounded mean in the last bits, and by nothing more
        constant = spread <= (4 * np.finfo(np.float64).eps) ** 2 * (w @ target**2)
        explained = 1 - unexplained / np.where(constant, 1.0, spread)
        return np.where(constant, (unexplained == 0).astype(float), explained)

    return {
        "mae": lambda w: w @ np.abs(error) / w.sum(axis=1),
        "rmse": lambda w: np.sqrt(w @ error**2 / w.sum(axis=1)),
        "r2": r2,
    }


def class_metrics(target: NDArray[np.int64], scores_NK: Array) -> Metrics:
    """Accuracy, macro F1, log loss and ROC AUC of class indices (N,) and probabilities (N, K)."""
    num_classes = scores_NK.shape[1]
    predicted = scores_NK.argmax(axis=1)
    truth_NK = np.eye(num_classes)[target]
    guess_NK = np.eye(num_classes)[predicted]
    right_NK = truth_NK * guess_NK
    hit = (predicted == target).astype(float)
    chosen = np.clip(scores_NK[np.arange(len(target)), target], SMALLEST_PROBABILITY, 1)

    def macro_f1(w: Array) -> Array:
        right = w @ right_NK
        whole = w @ truth_NK + w @ guess_NK
        # a class that neither occurs nor is predicted in a resample is left out of its mean
        f1 = np.divide(2 * right, whole, out=np.full_like(whole, np.nan), where=whole > 0)
        mean: Array = np.nanmean(f1, axis=1)
        return mean

    columns = [1] if num_classes == 2 else range(num_classes)
    auc_of_class = [weighted_auc(target == k, scores_NK[:, k]) for k in columns]

    def roc_auc(w: Array) -> Array:
        per_class = np.stack([auc(w) for auc in auc_of_class], axis=1)
        # a class without both positives and negatives in a resample has no curve and is left out
        empty = np.isnan(per_class).all(axis=1)
        per_class[empty] = 0.5
        mean: Array = np.nanmean(per_class, axis=1)
        return mean

    return {
        "accuracy": lambda w: w @ hit / w.sum(axis=1),
        "macro_f1": macro_f1,
        "log_loss": lambda w: -(w @ np.log(chosen)) / w.sum(axis=1),
        "roc_auc": roc_auc,
    }


def scored_classes(target: NDArray[np.int64], scores_NK: Array) -> Scored:
    """`class_metrics` with what their intervals need: accuracy is a proportion; macro F1 and AUC reach 1 where no test
    row happens to be wrong, which one more row, wrong or right, allows for."""
    num_classes = scores_NK.shape[1]
    classes = np.arange(num_classes)
    shares = np.bincount(target, minlength=num_classes) / len(target)

    def with_answers(answer_K: NDArray[np.int64]) -> Metrics:
        rows, scores = np.concatenate([target, classes]), np.concatenate([scores_NK, np.eye(num_classes)[answer_K]])
        metrics = class_metrics(rows, scores)
        return {name: metrics[name] for name in ("macro_f1", "roc_auc")}

    # a wrong one is taken for the next class, with certainty
    one_more = OneMoreRow(with_answers((classes + 1) % num_classes), with_answers(classes), shares)
    return Scored(len(target), class_metrics(target, scores_NK), ("accuracy",), one_more)


def weighted_auc(positive: NDArray[np.bool_], score: Array) -> Callable[[Array], Array]:
    """The chance that a positive scores above a negative, ties half (Hanley and McNeil 1982), as a function of weights;
    NaN where a resample is without one of both."""
    up, down = (rows[np.argsort(score[rows], kind="stable")] for rows in map(np.flatnonzero, (positive, ~positive)))
    # of each positive, how many negatives are below it, and how many are not above it
    below, not_above = (np.searchsorted(score[down], score[up], side=side) for side in ("left", "right"))

    def auc(weights: Array) -> Array:
        found = np.full(len(weights), np.nan)
        for i, w in enumerate(weights):  # one resample fits into a cache
            running = np.concatenate([[0.0], np.cumsum(w[down])])
            w_up = w[up]
            pairs = w_up.sum() * running[-1]
            if pairs > 0:
                found[i] = min(1.0, w_up @ (running[below] + running[not_above]) / (2 * pairs))
        return found

    return auc


def per_class(
    target: NDArray[np.int64], predicted: NDArray[np.int64], classes: list[str]
) -> dict[str, dict[str, float]]:
    """Precision, recall, F1 and support of each class; 0 where nothing was predicted or nothing is there."""
    table = {}
    for k, name in enumerate(classes):
        right = float(((target == k) & (predicted == k)).sum())
        guessed, support = float((predicted == k).sum()), float((target == k).sum())
        table[name] = {
            "precision": right / guessed if guessed else 0.0,
            "recall": right / support if support else 0.0,
            "f1": 2 * right / (guessed + support) if guessed + support else 0.0,
            "support": support,
        }
    return table
