"""How well a score ranks the rows of one class before all others: areas under the ROC and precision-recall curves."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.tasks.scores import Array, sums_by

SMALLEST = float(np.finfo(np.float64).tiny)


@dataclass(frozen=True)
class Extra:
    """The weight of additional rows: `positive` for rows of the class and `negative` for others, each with score 0 and
    with score 1."""

    positive: tuple[float, float]
    negative: tuple[float, float]


class Ranking:
    """One class against all others. `positive` (N,) says which rows are of the class; `score` (N,) is from 0 to 1.

    A curve bends only at the V scores that rows of the class have (and at 0 and 1, where an extra row may stand). So
    each row falls into one of 3 V + 1 bins: V + 1 for rows of other classes between these scores, V for rows of other
    classes at each of them, and V for rows of the class. A resample then needs one sum by bin, and no sorting.
    """

    def __init__(self, positive: NDArray[np.bool_], score: Array) -> None:
        at_V = np.unique(np.concatenate([score[positive], [0.0, 1.0]]))
        below, not_above = (np.searchsorted(at_V, score, side=side) for side in ("left", "right"))
        count = self._count = len(at_V)
        self._bin_N = below + np.where(positive, 2 * count + 1, np.where(below < not_above, count + 1, 0))
        self._ends = np.searchsorted(at_V, [0.0, 1.0])

    def areas(self, weights_N: Array, *extras: Extra) -> list[tuple[float, float]]:
        """ROC AUC and average precision of one resample, once with each of `extras`. Without extras, there is one pair
        for the rows alone."""
        sums = sums_by(self._bin_N, weights_N, 3 * self._count + 1)
        between, at, up = sums[: self._count], sums[self._count + 1 : 2 * self._count + 1], sums[2 * self._count + 1 :]
        above = sums[self._count]
        if not extras:
            return [_areas(between, at, up, above)]
        found = []
        for extra in extras:
            at_more, up_more = at.copy(), up.copy()
            at_more[self._ends] += extra.negative
            up_more[self._ends] += extra.positive
            found.append(_areas(between, at_more, up_more, above))
        return found


def _areas(between_V: Array, at_V: Array, up_V: Array, above: float) -> tuple[float, float]:
    """ROC AUC and average precision, from weights by score of the class: `between_V` is that of other rows below the
    score and above the one before, `at_V` that of other rows at the score, `up_V` that of the class's rows at it, and
    `above` that of other rows above all scores.

    ROC AUC is the chance that a row of the class scores above another row, where ties count half (Hanley and McNeil
    1982). Average precision is the mean of the precision at each score of the class, weighted by the class's weight
    there, as in scikit-learn. Both are NaN without rows of the class; ROC AUC is NaN without other rows as well.
    """
    below = between_V.copy()
    below[1:] += at_V[:-1]
    np.cumsum(below, out=below)
    of_others = below[-1] + at_V[-1] + above
    right = np.cumsum(up_V[::-1])[::-1]
    of_class = right[0]
    if of_class == 0:
        return np.nan, np.nan
    chosen = of_others - below
    chosen += right
    # This avoids a division by 0. Where nothing is chosen, the class has no weight either, so the term is 0.
    np.maximum(chosen, SMALLEST, out=chosen)
    precision = min(1.0, up_V @ (right / chosen) / of_class)
    if of_others == 0:
        return np.nan, precision
    below += 0.5 * at_V
    return min(1.0, up_V @ below / (of_class * of_others)), precision
