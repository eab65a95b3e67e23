"""Intervals for test metrics. Which method stands for which metric, and how well each covers: docs/evaluation.md."""

from collections.abc import Callable, Hashable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from pipeline.config import EvaluationConfig
from pipeline.evaluation import resampling

Array = NDArray[np.float64]
Metric = Callable[[Array], Array]  # row weights (R, N) to values (R,)
Metrics = dict[str, Metric]
Name = TypeVar("Name", bound=Hashable)

THREADS = 2  # of NumPy, which waits for memory more than it computes


@dataclass(frozen=True)
class Interval:
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class OneMoreRow:
    """Metrics of N test rows and of one row more, which is answered wrongly, or rightly. It has K parts that weigh
    `shares` (K,) of a row, so these are functions of N + K weights."""

    wrong: Metrics
    right: Metrics
    shares: Array


@dataclass(frozen=True)
class Scored:
    """The metrics of N test rows as functions of row weights (R, N).

    `proportions`: which of them are shares of rows. `one_more`: those that can reach their best value on some test rows
    by luck.
    """

    num_rows: int
    metrics: Metrics
    proportions: tuple[str, ...] = ()
    one_more: OneMoreRow | None = None


def intervals(scored: Scored, config: EvaluationConfig) -> dict[str, Interval]:
    """Each metric on the rows as they are, with its two-sided interval of coverage `config.confidence`."""
    num_rows, seed, tail = scored.num_rows, config.seed, (1 - config.confidence) / 2
    resampled = {name: metric for name, metric in scored.metrics.items() if name not in scored.proportions}
    values = values_of(resampled, resampling.drawn(num_rows, config.resamples, seed))
    without = values_of(resampled, resampling.left_out(num_rows))
    found = {}
    for name, value in estimates(scored).items():
        if name in scored.proportions:
            low, high = clopper_pearson(round(value * num_rows), num_rows, tail)
        else:
            low, high = bca(value, values[name], without[name], tail)
        found[name] = Interval(value, low, high)
    if scored.one_more is not None:
        lucky = _with_one_more(num_rows, scored.one_more, config)
        for name in scored.one_more.wrong:
            low, high = np.quantile(lucky["wrong", name], tail), np.quantile(lucky["right", name], 1 - tail)
            found[name] = Interval(
                found[name].value, min(found[name].low, float(low)), max(found[name].high, float(high))
            )
    return found


def estimates(scored: Scored) -> dict[str, float]:
    """Each metric on the rows as they are."""
    return {name: float(metric(np.ones((1, scored.num_rows)))[0]) for name, metric in scored.metrics.items()}


def values_of(metrics: dict[Name, Metric], chunks: Iterator[Array]) -> dict[Name, Array]:
    """Each metric of all resamples (R,), THREADS chunks at a time; what is found of one does not depend on others."""
    parts: dict[Name, list[Array]] = {name: [] for name in metrics}
    with ThreadPoolExecutor(THREADS) as pool:
        while some := list(islice(chunks, THREADS)):
            for found in pool.map(lambda weights: {name: metric(weights) for name, metric in metrics.items()}, some):
                for name, values in found.items():
                    parts[name].append(values)
    return {name: np.concatenate(found) for name, found in parts.items()}


def clopper_pearson(hits: int, num_rows: int, tail: float) -> tuple[float, float]:
    """The exact interval of a proportion, which leaves out at most `tail` on either side whatever the true proportion
    is (Clopper and Pearson 1934, as quantiles of beta distributions)."""
    from scipy.special import betaincinv

    low = betaincinv(hits, num_rows - hits + 1, tail) if hits else 0.0
    high = betaincinv(hits + 1, num_rows - hits, 1 - tail) if hits < num_rows else 1.0
    return float(low), float(high)


def bca(value: float, values: Array, without: Array, tail: float) -> tuple[float, float]:
    """The bias-corrected and accelerated bootstrap interval (Efron 1987; Efron and Tibshirani 1993, equations 14.9 to
    14.15) of an estimate, from its bootstrap values (R,) and its jackknife values (G,)."""
    from scipy.special import ndtr, ndtri

    resamples = len(values)
    # ties with the estimate count half, and the bias stays finite where all resamples are on one side
    below = np.mean(values < value) + np.mean(values == value) / 2
    bias = ndtri(np.clip(below, 0.5 / resamples, 1 - 0.5 / resamples))
    deviations = without.mean() - without
    # cubes of numbers near 1e-200 would vanish
    deviations = deviations / (np.abs(deviations).max() or 1.0)
    squares = (deviations**2).sum()
    acceleration = (deviations**3).sum() / (6 * squares**1.5) if squares else 0.0
    shifted = bias + ndtri(np.array([tail, 1 - tail]))
    stretch = 1 - acceleration * shifted
    # beyond the pole of the formula, the interval ends at the outermost resample
    places = np.where(stretch > 0, ndtr(bias + shifted / np.where(stretch > 0, stretch, 1)), [0.0, 1.0])
    low, high = np.quantile(values, places)
    return float(low), float(high)


def _with_one_more(num_rows: int, more: OneMoreRow, config: EvaluationConfig) -> dict[tuple[str, str], Array]:
    """By side and metric, the Bayesian bootstrap with one row more. For a proportion, its quantiles are Clopper and
    Pearson's limits: the share of the wrong rows with one more is Beta(wrong + 1, right)."""
    metrics = {(side, name): m for side in ("wrong", "right") for name, m in getattr(more, side).items()}
    weights = resampling.exponential(num_rows + 1, config.resamples, config.seed)
    return values_of(metrics, (np.concatenate([w[:, :-1], w[:, -1:] * more.shares], axis=1) for w in weights))
