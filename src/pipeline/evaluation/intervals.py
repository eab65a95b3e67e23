"""Bootstrap intervals over the test rows (Efron and Tibshirani 1993, chapter 13: the percentile interval)."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.data.order import generator

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Interval:
    value: float
    low: float
    high: float


def resample_weights(num_rows: int, resamples: int, seed: int) -> Array:
    """How often each row stands in each resample, (R, N); depends on `seed` and the sizes alone."""
    drawn = generator(seed).integers(0, num_rows, size=(resamples, num_rows))
    flat = (drawn + np.arange(resamples)[:, np.newaxis] * num_rows).ravel()
    return np.bincount(flat, minlength=resamples * num_rows).reshape(resamples, num_rows).astype(np.float64)


def intervals(
    metrics: dict[str, Callable[[Array], Array]], num_rows: int, resamples: int, confidence: float, seed: int
) -> dict[str, Interval]:
    """Each metric on the rows as they are, with its percentile interval of coverage `confidence`."""
    weights = resample_weights(num_rows, resamples, seed)
    ones = np.ones((1, num_rows))
    tail = (1 - confidence) / 2
    found = {}
    for name, metric in metrics.items():
        low, high = np.quantile(metric(weights), [tail, 1 - tail])
        found[name] = Interval(float(metric(ones)[0]), float(low), float(high))
    return found
