"""Rows in coordinates in which the trainer `exact` solves them, whatever the units of the features."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.data.moments import mean_and_deviation, stretch
from pipeline.data.rows_file import RowsFile
from pipeline.errors import ConfigError
from pipeline.training.examples import Examples

Array = NDArray[np.float64]

MOST_DEVIATIONS = 100_000  # weights are kept as float32: at 6e-8 a weight, logits are then good to some thousandths


@dataclass(frozen=True)
class Standardized:
    """The rows in coordinates of their own, in which any units of the features are solved alike: `z_ND` has a column of
    mean 0 and deviation 1 for each feature, and a column of ones behind. `share_N` is a row's weight over N."""

    z_ND: Array
    share_N: Array
    mean: Array
    deviation: Array

    @classmethod
    def of(cls, examples: Examples) -> "Standardized":
        if isinstance(examples.features, RowsFile):
            raise ConfigError(
                "trainer exact keeps all features in memory, but they exceed trainer.resident_bytes. Raise that, or "
                "use trainer=compiled."
            )
        x = examples.features.reshape(examples.num_rows, -1).astype(np.float64)
        weight = np.ones(len(x)) if examples.weight is None else examples.weight.astype(np.float64)
        mean, found = mean_and_deviation(lambda: [x])
        deviation = stretch(found)
        if (farthest := float((np.abs(mean) / deviation)[found > 0].max(initial=0.0))) > MOST_DEVIATIONS:
            raise ConfigError(
                f"trainer exact: a feature's mean lies {farthest:.0f} deviations from 0, and weights in float32 are "
                f"exact up to {MOST_DEVIATIONS}. Set preprocessing.standardize=true."
            )
        z_ND = np.hstack([(x - mean) / deviation, np.ones((len(x), 1))])
        return cls(z_ND, weight / len(x), mean, deviation)

    def ridge(self, l2: float) -> Array:
        """The ridge term (D,) of each column's weight, which is the feature's weight times its deviation. The
        intercept is free."""
        return np.append(l2 / self.deviation**2, 0.0)

    def inwards(self, beta_DK: Array) -> Array:
        """Weights and intercept of the features as those of `z_ND`, for the same outputs."""
        return np.vstack([beta_DK[:-1] * self.deviation[:, np.newaxis], beta_DK[-1] + self.mean @ beta_DK[:-1]])

    def outwards(self, gamma_DK: Array) -> Array:
        """Weights and intercept of `z_ND` as those of the features."""
        weights = gamma_DK[:-1] / self.deviation[:, np.newaxis]
        return np.vstack([weights, gamma_DK[-1] - self.mean @ weights])
