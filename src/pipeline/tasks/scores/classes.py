"""Metrics of class indices and probabilities."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.tasks.scores import Array, Values, sums_by
from pipeline.tasks.scores.ranking import Extra, Ranking

# scikit-learn's log_loss uses the same limit for probabilities in float32, in which a model answers. With a smaller one
# the two classes of a binary model would count differently: the probability of class 0 is computed as 1 - p. Where p is
# near 1, that difference is either 0 or about as large as this limit.
SMALLEST_PROBABILITY = float(np.finfo(np.float32).eps)
CALIBRATION_BINS = 15
BLOCK = 2**16  # weights


@dataclass(frozen=True)
class Counts:
    """For each class, (R, K) each: the weight of its rows, of the rows that were taken for it, and of those that were
    rightly taken for it."""

    truth: Array
    guess: Array
    right: Array

    def values(self) -> Values:
        """What a confusion matrix tells. Classes that neither occur nor are predicted are left out of a mean."""
        total, right = self.truth.sum(axis=1), self.right.sum(axis=1)
        chance, guessed, true = (
            np.einsum("rk,rk->r", a, b)
            for a, b in ((self.truth, self.guess), (self.guess, self.guess), (self.truth, self.truth))
        )
        spread = (total**2 - guessed) * (total**2 - true)
        known = spread > 0
        return {
            "accuracy": right / total,
            "balanced_accuracy": _mean_share(self.right, self.truth),
            "macro_f1": _mean_share(2 * self.right, self.truth + self.guess),
            # Matthews 1975; for more than two classes Gorodkin 2004
            "mcc": np.clip((right * total - chance) / np.sqrt(np.where(known, spread, np.inf)), -1.0, 1.0),
        }


def _mean_share(parts_RK: Array, wholes_RK: Array) -> Array:
    """The mean over classes (R,) of their parts in wholes, without those whose whole is 0."""
    there = wholes_RK > 0
    shares: Array = np.divide(parts_RK, wholes_RK, out=np.zeros_like(wholes_RK), where=there)
    mean: Array = shares.sum(axis=1) / there.sum(axis=1)
    return mean


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
        hit = self.right = guess == target
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
        return _joined([self._values(block) for block in _blocks(weights_RN)])

    def with_one_more(self, weights_RM: Array, sizes: tuple[float, float]) -> tuple[Values, Values]:
        both = [self._with_one_more(block[:, :-1], block[:, -1:], sizes) for block in _blocks(weights_RM)]
        return _joined([wrong for wrong, _ in both]), _joined([right for _, right in both])

    def _values(self, weights_RN: Array) -> Values:
        total = weights_RN.sum(axis=1)
        means = {name: weights_RN @ values / total for name, values in self._row_means.items()}
        gaps = sums_by(self._bin, weights_RN * self._gap, CALIBRATION_BINS)
        return {
            **self._counts(weights_RN).values(),
            **means,
            "calibration_error": np.abs(gaps).sum(axis=1) / total,
            **_mean_areas([ranking.areas(weights_RN)[0] for ranking in self._rankings]),
        }

    def _with_one_more(self, weights_RN: Array, weight_R1: Array, sizes: tuple[float, float]) -> tuple[Values, Values]:
        """A wrong row is taken for the next class, with certainty."""
        found = self._counts(weights_RN)
        bad_R1, good_R1 = (weight_R1 * size for size in sizes)
        bad, good = bad_R1 * self._shares, good_R1 * self._shares
        wrong = Counts(found.truth + bad, found.guess + np.roll(bad, 1, axis=1), found.right)
        right = Counts(found.truth + good, found.guess + good, found.right + good)
        areas: list[list[tuple[Array, Array]]] = [[], []]
        for k, ranking in zip(self._columns, self._rankings, strict=True):
            before, none = bad[:, k - 1], np.zeros(len(bad))
            of_bad, of_good = bad_R1[:, 0] - bad[:, k], good_R1[:, 0] - good[:, k]
            extras = (
                Extra(np.stack([bad[:, k], none], axis=1), np.stack([of_bad - before, before], axis=1)),
                Extra(np.stack([none, good[:, k]], axis=1), np.stack([of_good, none], axis=1)),
            )
            for side, pair in zip(areas, ranking.areas(weights_RN, *extras), strict=True):
                side.append(pair)
        sides = [counts.values() | _mean_areas(side) for counts, side in zip((wrong, right), areas, strict=True)]
        return sides[0], sides[1]

    def _counts(self, weights_RN: Array) -> Counts:
        of_pair = sums_by(self._pair, weights_RN, len(self._truth_P))
        truth, guess = (sums_by(k, of_pair, self._num_classes) for k in (self._truth_P, self._guess_P))
        right = sums_by(self._truth_P, of_pair * (self._truth_P == self._guess_P), self._num_classes)
        return Counts(truth, guess, right)


def _mean_areas(areas: list[tuple[Array, Array]]) -> Values:
    """The mean areas over classes. A class without a curve in a resample is left out. Where no class has a curve, the
    areas are those of a ranking by chance."""
    found = {}
    for name, column, by_chance in zip(("roc_auc", "pr_auc"), zip(*areas, strict=True), (0.5, 0.0), strict=True):
        area_KR = np.stack(column)
        there = ~np.isnan(area_KR)
        count = there.sum(axis=0)
        mean = np.where(there, area_KR, 0.0).sum(axis=0) / np.maximum(count, 1)
        found[name] = np.where(count > 0, mean, by_chance)
    return found


def _blocks(weights_RN: Array) -> list[Array]:
    """The resamples, as many at a time as stay in a processor's cache."""
    size = max(1, BLOCK // weights_RN.shape[1])
    return [weights_RN[i : i + size] for i in range(0, len(weights_RN), size)]


def _joined(blocks: list[Values]) -> Values:
    return {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}


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
