"""The coordinates in which the trainer `exact` solves, so that the units of the features do not matter."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.data.moments import mean_and_deviation, stretch
from pipeline.errors import ConfigError
from pipeline.training.examples import Examples

Array = NDArray[np.float64]

# Weights are kept as float32, which rounds each by up to 6e-8 of itself. At this limit, logits are then good to some
# thousandths.
MOST_DEVIATIONS = 100_000


@dataclass(frozen=True)
class Standardized:
    """The rows in standardised coordinates.

    `z_ND` has one column of mean 0 and deviation 1 for each feature, and after them a column of ones. `share_N` is each
    row's weight divided by N. `mean` and `deviation` are those of the features.
    """

    z_ND: Array
    share_N: Array
    mean: Array
    deviation: Array

    @classmethod
    def of(cls, examples: Examples) -> "Standardized":
        """Standardise examples; raises ConfigError where memory or the precision of float32 does not suffice."""
        (features,) = examples.features.values()
        x = np.asarray(features, np.float64).reshape(examples.num_rows, -1)
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
        """The ridge term (D,) of each column. A column's weight is the feature's weight times its deviation, so the
        term is `l2` divided by the deviation's square; the intercept has no penalty."""
        return np.append(l2 / self.deviation**2, 0.0)

    def inwards(self, beta_DK: Array) -> Array:
        """Turn weights and intercept for the features into those for `z_ND` that give the same outputs."""
        return np.vstack([beta_DK[:-1] * self.deviation[:, np.newaxis], beta_DK[-1] + self.mean @ beta_DK[:-1]])

    def outwards(self, gamma_DK: Array) -> Array:
        """Turn weights and intercept for `z_ND` into those for the features that give the same outputs."""
        weights = gamma_DK[:-1] / self.deviation[:, np.newaxis]
        return np.vstack([weights, gamma_DK[-1] - self.mean @ weights])
