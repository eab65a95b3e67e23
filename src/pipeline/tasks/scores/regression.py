"""Metrics of predicted numbers."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.tasks.scores import Array, Values


@dataclass(frozen=True)
class RegressionScores:
    """Mean absolute error, root mean squared error and R2 of `target` and `predicted` (N,).

    R2 of rows whose targets are all equal is 1 where they are predicted without error and else 0, as in scikit-learn's
    `r2_score`. This holds for a single row too, where `r2_score` gives NaN, with which no minimum can be compared.
    """

    target: Array
    predicted: Array

    @property
    def num_rows(self) -> int:
        return len(self.target)

    @property
    def right(self) -> NDArray[np.bool_]:
        return np.zeros(self.num_rows, bool)

    def values(self, weights_RN: Array) -> Values:
        error = self.predicted - self.target
        total = weights_RN.sum(axis=1)
        return {
            "mae": weights_RN @ np.abs(error) / total,
            "rmse": np.sqrt(weights_RN @ error**2 / total),
            "r2": self._r2(weights_RN, weights_RN @ error**2),
        }

    def with_one_more(self, weights_RM: Array, sizes: tuple[float, float]) -> tuple[Values, Values]:
        """None of these metrics is LUCKY or a PROPORTION."""
        return {}, {}

    def _r2(self, weights_RN: Array, unexplained_R: Array) -> Array:
        # Centred targets lose no digits to a large offset when their squares are summed.
        centred = self.target - self.target.mean()
        distance = centred - (weights_RN @ centred / weights_RN.sum(axis=1))[:, np.newaxis]
        spread = np.einsum("rn,rn->r", weights_RN, distance**2)
        # Equal targets may differ from their own rounded mean, but only in the last bits.
        constant = spread <= (4 * np.finfo(np.float64).eps) ** 2 * (weights_RN @ self.target**2)
        explained = 1 - unexplained_R / np.where(constant, 1.0, spread)
        return np.where(constant, (unexplained_R == 0).astype(float), explained)
