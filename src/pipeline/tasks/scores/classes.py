"""Metrics of class indices and probabilities."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.tasks.scores import Array, Values, sums_by
from pipeline.tasks.scores.ranking import Extra, Ranking

# scikit-learn's log_loss uses the same limit for probabilities in float32, in which a model answers. With a smaller one
# the two classes of a binary model would count differently: p_0 is computed as 1 - p_1, and where p_1 is near 1, that
# difference is either 0 or about as large as this limit.
SMALLEST_PROBABILITY = float(np.finfo(np.float32).eps)
CALIBRATION_BINS = 15


@dataclass(frozen=True)
class Counts:
    """For each class, (K,) each: the weight of its rows, of the rows that were taken for it, and of those that were
    rightly taken for it."""

    truth: Array
    guess: Array
    right: Array

    def values(self) -> dict[str, float]:
        """The metrics that follow from a confusion matrix. A mean leaves out classes that neither occur nor are
        predicted."""
        total, right = self.truth.sum(), self.right.sum()
        either, occurs = self.truth + self.guess, self.truth > 0
        chance = self.truth @ self.guess
        spread = (total**2 - self.guess @ self.guess) * (total**2 - self.truth @ self.truth)
        return {
            "accuracy": right / total,
            "balanced_accuracy": (self.right[occurs] / self.truth[occurs]).mean(),
            "macro_f1": (2 * self.right[either > 0] / either[either > 0]).mean(),
            # Matthews 1975, and for more than two classes Gorodkin 2004
            "mcc": (right * total - chance) / np.sqrt(spread) if spread > 0 else 0.0,
        }


class ClassScores:
    """The metrics of class indices (N,) and probabilities (N, K).

    Log loss and Brier score (Brier 1950, for two classes halved) are means over rows, as scikit-learn has them. The
    calibration error is the mean distance of confidence and accuracy over CALIBRATION_BINS equal bins of the predicted
    class's probability (Guo et al. 2017). ROC AUC and PR AUC (average precision) are the mean over classes, each
    against all others; of two classes, class 1's.
    """

    def __init__(self, target: NDArray[np.int64], scores_NK: Array) -> None:
        num_classes = scores_NK.shape[1]
        self.num_rows, self._num_classes = len(target), num_classes
        guess = scores_NK.argmax(axis=1)
        hit = guess == target
        # All sums over the pairs of true and predicted class that occur then need only one pass over the rows.
        pairs, self._pair = np.unique(target * num_classes + guess, return_inverse=True)
        self._truth_P, self._guess_P = np.divmod(pairs, num_classes)
        self._shares = np.bincount(target, minlength=num_classes) / len(target)
        confidence = scores_NK.max(axis=1)
        self._gap = hit - confidence
        self._bin = np.clip(np.ceil(confidence * CALIBRATION_BINS).astype(int) - 1, 0, CALIBRATION_BINS - 1)
        chosen = scores_NK[np.arange(len(target)), target]
        # This is the sum over classes of (p - y)^2, without an array for y.
        brier = np.einsum("nk,nk->n", scores_NK, scores_NK) + 1 - 2 * chosen
        self._row_means = {
            "log_loss": -np.log(np.clip(chosen, SMALLEST_PROBABILITY, 1)),
            "brier": brier / 2 if num_classes == 2 else brier,
        }
        self._columns = [1] if num_classes == 2 else list(range(num_classes))
        self._rankings = [Ranking(target == k, scores_NK[:, k]) for k in self._columns]

    def values(self, weights_RN: Array) -> Values:
        return _joined([self._values(weights_N) for weights_N in weights_RN])

    def with_one_more(self, weights_RM: Array) -> tuple[Values, Values]:
        both = [self._with_one_more(weights_M[:-1], weights_M[-1]) for weights_M in weights_RM]
        return _joined([wrong for wrong, _ in both]), _joined([right for _, right in both])

    def _values(self, weights_N: Array) -> dict[str, float]:
        total = weights_N.sum()
        means = {name: weights_N @ values / total for name, values in self._row_means.items()}
        gaps = sums_by(self._bin, weights_N * self._gap, CALIBRATION_BINS)
        areas = [ranking.areas(weights_N)[0] for ranking in self._rankings]
        return {
            **self._counts(weights_N).values(),
            **means,
            "calibration_error": np.abs(gaps).sum() / total,
            **_mean_areas(areas),
        }

    def _with_one_more(self, weights_N: Array, weight: float) -> tuple[dict[str, float], dict[str, float]]:
        """A wrong additional row is taken for the next class, with certainty."""
        found, more = self._counts(weights_N), weight * self._shares
        wrong = Counts(found.truth + more, found.guess + np.roll(more, 1), found.right)
        right = Counts(found.truth + more, found.guess + more, found.right + more)
        areas: list[list[tuple[float, float]]] = [[], []]
        for k, ranking in zip(self._columns, self._rankings, strict=True):
            before, others = more[k - 1], weight - more[k]
            extras = (
                Extra(positive=(more[k], 0.0), negative=(others - before, before)),
                Extra(positive=(0.0, more[k]), negative=(others, 0.0)),
            )
            for side, pair in zip(areas, ranking.areas(weights_N, *extras), strict=True):
                side.append(pair)
        sides = [counts.values() | _mean_areas(side) for counts, side in zip((wrong, right), areas, strict=True)]
        return sides[0], sides[1]

    def _counts(self, weights_N: Array) -> Counts:
        of_pair = sums_by(self._pair, weights_N, len(self._truth_P))
        truth, guess = (sums_by(k, of_pair, self._num_classes) for k in (self._truth_P, self._guess_P))
        right = sums_by(self._truth_P, of_pair * (self._truth_P == self._guess_P), self._num_classes)
        return Counts(truth, guess, right)


def _mean_areas(areas: list[tuple[float, float]]) -> dict[str, float]:
    """The mean areas over classes. A class without a curve in a resample is left out. Where no class has a curve, the
    areas are those of a ranking by chance."""
    roc, pr = ([area for area in column if not np.isnan(area)] for column in zip(*areas, strict=True))
    return {"roc_auc": sum(roc) / len(roc) if roc else 0.5, "pr_auc": sum(pr) / len(pr) if pr else 0.0}


def _joined(resamples: list[dict[str, float]]) -> Values:
    return {name: np.array([values[name] for values in resamples]) for name in resamples[0]}


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
