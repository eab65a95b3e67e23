"""How well a score ranks the rows of one class before all others: areas under the ROC and precision-recall curves."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.tasks.scores import Array, sums_by

SMALLEST = float(np.finfo(np.float64).tiny)


@dataclass(frozen=True)
class Extra:
    """Weight beyond the N rows of each resample (R, 2): of the class and of others, with score 0 and with score 1."""

    positive_R2: Array
    negative_R2: Array


class Ranking:
    """One class against all others. `positive` (N,) says which rows are of the class; `score` (N,) is from 0 to 1.

    A curve bends only at the V scores that rows of the class have (and at 1 and 0, where an extra row may stand). So
    each row falls into one of 3 V + 1 bins: V + 1 for rows of other classes between these scores, V for rows of other
    classes at each of them, and V for rows of the class. A resample then needs one sum by bin, and no sorting. Bins go
    from the highest score to the lowest.
    """

    def __init__(self, positive: NDArray[np.bool_], score: Array) -> None:
        lowered_V = np.unique(np.concatenate([-score[positive], [-1.0, 0.0]]))
        above, not_below = (np.searchsorted(lowered_V, -score, side=side) for side in ("left", "right"))
        count = self._count = len(lowered_V)
        self._bin_N = above + np.where(positive, 2 * count + 1, np.where(above < not_below, count + 1, 0))
        self._ends = np.searchsorted(lowered_V, [0.0, -1.0])

    def areas(self, weights_RN: Array, *extras: Extra) -> list[tuple[Array, Array]]:
        """ROC AUC and average precision (R,) of R resamples, once with each of `extras`. Without extras, there is one
        pair for the rows alone."""
        count = self._count
        sums = sums_by(self._bin_N, weights_RN, 3 * count + 1)
        between, below, at, up = np.split(sums, [count, count + 1, 2 * count + 1], axis=1)
        if not extras:
            return [_areas(between, at, up, below[:, 0])]
        found = []
        for extra in extras:
            at_more, up_more = at.copy(), up.copy()
            at_more[:, self._ends] += extra.negative_R2
            up_more[:, self._ends] += extra.positive_R2
            found.append(_areas(between, at_more, up_more, below[:, 0]))
        return found


def _areas(between_RV: Array, at_RV: Array, up_RV: Array, below_R: Array) -> tuple[Array, Array]:
    """ROC AUC and average precision, from weights by score of the class, the highest first: `between_RV` is that of
    other rows above the score and below the one before, `at_RV` that of other rows at the score, `up_RV` that of the
    class's rows at it, and `below_R` that of other rows below all scores.

    ROC AUC is the chance that a row of the class scores above another row, where ties count half (Hanley and McNeil
    1982). Average precision is the mean of the precision at each score of the class, weighted by the class's weight
    there, as in scikit-learn. Both are NaN without rows of the class; ROC AUC is NaN without other rows as well.
    """
    wrong = between_RV + at_RV
    np.cumsum(wrong, axis=1, out=wrong)
    right = np.cumsum(up_RV, axis=1)
    of_others, of_class = wrong[:, -1] + below_R, np.where(right[:, -1] > 0, right[:, -1], np.nan)
    # Other rows above a score of the class, and half of those at it, are ranked wrongly.
    missed = np.einsum("rv,rv->r", up_RV, wrong) - np.einsum("rv,rv->r", up_RV, at_RV) / 2
    ranked = 1 - missed / (of_class * np.where(of_others > 0, of_others, np.nan))
    wrong += right
    # This avoids a division by 0. Where nothing is chosen, the class has no weight either, so the term is 0.
    np.maximum(wrong, SMALLEST, out=wrong)
    np.divide(right, wrong, out=right)
    precision = np.einsum("rv,rv->r", up_RV, right) / of_class
    return np.clip(ranked, 0.0, 1.0), np.minimum(precision, 1.0)
