"""Test metrics as weighted sums over rows, so that a bootstrap resample is just another weight vector.

A weight w_n is how often row n stands in the resample; all ones is the test split itself. Every function takes
weights (R, N) of R resamples and returns R values; scikit-learn's figures are the tests' yardstick.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
SMALLEST_PROBABILITY = 1e-7


def regression_metrics(target: Array, predicted: Array) -> dict[str, Callable[[Array], Array]]:
    """Mean absolute error, root mean squared error and R2 (target and predicted (N,)) as functions of weights."""
    error = predicted - target

    def r2(w: Array) -> Array:
        total = w.sum(axis=1)
        spread = w @ target**2 - (w @ target) ** 2 / total
        # a resample of one row over and over has no spread to explain: no skill can be shown, R2 is 0
        safe = np.where(spread > 1e-12, spread, 1.0)
        return np.where(spread > 1e-12, 1 - w @ error**2 / safe, 0.0)

    return {
        "mae": lambda w: w @ np.abs(error) / w.sum(axis=1),
        "rmse": lambda w: np.sqrt(w @ error**2 / w.sum(axis=1)),
        "r2": r2,
    }


def class_metrics(target: NDArray[np.int64], scores_NK: Array) -> dict[str, Callable[[Array], Array]]:
    """Accuracy, macro F1, log loss and ROC AUC of class indices (N,) and probabilities (N, K)."""
    num_classes = scores_NK.shape[1]
    predicted = scores_NK.argmax(axis=1)
    truth_NK = np.eye(num_classes)[target]
    guess_NK = np.eye(num_classes)[predicted]
    hit = (predicted == target).astype(float)
    chosen = np.clip(scores_NK[np.arange(len(target)), target], SMALLEST_PROBABILITY, 1)

    def macro_f1(w: Array) -> Array:
        right = w @ (truth_NK * guess_NK)
        whole = w @ truth_NK + w @ guess_NK
        # a class that neither occurs nor is predicted in a resample is left out of its mean
        f1 = np.divide(2 * right, whole, out=np.full_like(whole, np.nan), where=whole > 0)
        mean: Array = np.nanmean(f1, axis=1)
        return mean

    def roc_auc(w: Array) -> Array:
        columns = [1] if num_classes == 2 else range(num_classes)
        per_class = np.stack([weighted_auc(truth_NK[:, k] > 0, scores_NK[:, k], w) for k in columns], axis=1)
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


def weighted_auc(positive: NDArray[np.bool_], score: Array, weights: Array) -> Array:
    """The chance that a positive scores above a negative, ties half (Hanley and McNeil 1982); NaN without both."""
    _, tied = np.unique(score, return_inverse=True)
    order = np.argsort(tied, kind="stable")
    starts = np.flatnonzero(np.diff(tied[order], prepend=-1))
    up = np.add.reduceat(weights[:, order] * positive[order], starts, axis=1)
    down = np.add.reduceat(weights[:, order] * ~positive[order], starts, axis=1)
    below = np.cumsum(down, axis=1) - down / 2
    pairs = up.sum(axis=1) * down.sum(axis=1)
    auc = np.full(len(weights), np.nan)
    np.divide((up * below).sum(axis=1), pairs, out=auc, where=pairs > 0)
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
