"""What `evaluate` computes from a task's answers. `train` needs none of it, so an edit here retrains nothing.

Metrics are functions of row weights, so that a bootstrap resample is just another weight vector. The weight w_n says
how often row n stands in the resample; with all weights 1 it is the test split itself. The tests compare the metrics
with scikit-learn's.
"""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Values = dict[str, Array]


class Scores(Protocol):
    """The metrics of N test rows."""

    @property
    def num_rows(self) -> int: ...

    @property
    def right(self) -> NDArray[np.bool_]:
        """Which rows (N,) are answered rightly. Of numbers none is."""

    def values(self, weights_RN: Array) -> Values:
        """Each metric (R,) of R resamples."""

    def with_one_more(self, weights_RM: Array, sizes: tuple[float, float]) -> tuple[Values, Values]:
        """The metrics of kinds LUCKY and PROPORTION with one more row: first where it is answered wrongly, then where
        it is answered rightly. M is N + 1, and the last weight is that of the additional row, which counts as so many
        rows in the first case and in the second. It belongs to each class in the proportion of the class among the
        rows."""


def sums_by(bin_N: NDArray[np.int64], weights_RN: Array, num_bins: int) -> Array:
    """The weight in each bin (R, num_bins)."""
    count = len(weights_RN)
    # a bincount for all resamples at once, each with bins of its own
    bins = bin_N if count == 1 else (bin_N + num_bins * np.arange(count)[:, np.newaxis]).ravel()
    sums = np.bincount(bins, weights_RN.ravel(), num_bins * count).reshape(count, num_bins)
    return sums.astype(np.float64, copy=False)


def estimates(scores: Scores) -> dict[str, float]:
    """Each metric on the rows as they are."""
    return {name: float(values[0]) for name, values in scores.values(np.ones((1, scores.num_rows))).items()}
