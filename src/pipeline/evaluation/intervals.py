"""Intervals for test metrics. docs/evaluation.md says which method is used for which metric, and how often each of them
holds the true value."""

import math
from collections import deque
from collections.abc import Callable, Hashable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from pipeline.config import EvaluationConfig
from pipeline.evaluation import resampling
from pipeline.evaluation.units import Units, too_few
from pipeline.tasks.scores import Scores, estimates
from pipeline.tasks.scores.metric import LUCKY, PROPORTION, Metric

Array = NDArray[np.float64]
Name = TypeVar("Name", bound=Hashable)

THREADS = 2  # they run NumPy, which here waits for memory more than it computes


@dataclass(frozen=True)
class Interval:
    """A value and the ends of its interval, which are NaN where the rows are of too few units for one."""

    value: float
    low: float = math.nan
    high: float = math.nan

    def to_json(self) -> dict[str, float]:
        """The ends are left out where there are none."""
        return {name: end for name, end in asdict(self).items() if name == "value" or not math.isnan(end)}


def intervals(
    scores: Scores, metrics: dict[str, Metric], config: EvaluationConfig, units: Units | None = None
) -> dict[str, Interval]:
    """Each metric of the test rows, with its two-sided interval whose coverage is `config.confidence`. With `units`,
    these are resampled instead of rows. Too few of them give no interval."""
    num_rows, tail = scores.num_rows, (1 - config.confidence) / 2
    estimated = estimates(scores)
    if too_few(units, tail):
        return {name: Interval(estimated[name]) for name in metrics}
    unit_N = None if units is None else units.of_row
    own_tail = tail if units is None else widened(tail, units.count)
    values = values_of(scores.values, resampling.bootstrap_weights(num_rows, config.resamples, config.seed, unit_N))
    without = values_of(scores.values, resampling.jackknife_weights(num_rows, unit_N))
    # A share of rows is binomial only where rows are independent.
    lucky = (LUCKY,) if units is None else (LUCKY, PROPORTION)
    ends = _with_one_more(scores, config, tail, units) if any(m.kind in lucky for m in metrics.values()) else {}
    found = {}
    for name, metric in metrics.items():
        value = estimated[name]
        if metric.kind == PROPORTION and units is None:
            low, high = clopper_pearson(round(value * num_rows), num_rows, tail)
        else:
            low, high = bca(value, values[name], without[name], own_tail)
        if metric.kind in lucky:
            low, high = min(low, ends[name][0]), max(high, ends[name][1])
        # all resamples of an error that is near 0 may be larger than it
        found[name] = Interval(value, min(low, value), max(high, value))
    return found


def values_of(function: Callable[[Array], dict[Name, Array]], chunks: Iterator[Array]) -> dict[Name, Array]:
    """What `function` gives for all resamples (R,), by name. THREADS chunks are computed at a time, while the next one
    is drawn; the values of a resample do not depend on the other resamples of its chunk."""
    parts: dict[Name, list[Array]] = {}
    waiting: deque[Future[dict[Name, Array]]] = deque()

    def take() -> None:
        for name, values in waiting.popleft().result().items():
            parts.setdefault(name, []).append(values)

    with ThreadPoolExecutor(THREADS) as pool:
        for chunk in chunks:
            waiting.append(pool.submit(function, chunk))
            if len(waiting) > THREADS:
                take()
        while waiting:
            take()
    return {name: np.concatenate(found) for name, found in parts.items()}


def clopper_pearson(hits: int, num_rows: int, tail: float) -> tuple[float, float]:
    """The exact interval of a proportion (Clopper and Pearson 1934, as quantiles of beta distributions). Whatever the
    true proportion is, the interval misses it on either side with a probability of at most `tail`."""
    from scipy.special import betaincinv

    low = betaincinv(hits, num_rows - hits + 1, tail) if hits else 0.0
    high = betaincinv(hits + 1, num_rows - hits, 1 - tail) if hits < num_rows else 1.0
    return float(low), float(high)


def bca(value: float, values: Array, without: Array, tail: float) -> tuple[float, float]:
    """The bias-corrected and accelerated bootstrap interval (Efron 1987; Efron and Tibshirani 1993, equations 14.9 to
    14.15) of an estimate, from its bootstrap values (R,) and its jackknife values (G,)."""
    from scipy.special import ndtr, ndtri

    resamples = len(values)
    # Ties with the estimate count half. The bounds keep the bias finite where all resamples are on one side.
    below = np.mean(values < value) + np.mean(values == value) / 2
    bias = ndtri(np.clip(below, 0.5 / resamples, 1 - 0.5 / resamples))
    deviations = without.mean() - without
    # Without this scaling, the cubes of numbers near 1e-200 would become 0.
    deviations = deviations / (np.abs(deviations).max() or 1.0)
    squares = (deviations**2).sum()
    acceleration = (deviations**3).sum() / (6 * squares**1.5) if squares else 0.0
    shifted = bias + ndtri(np.array([tail, 1 - tail]))
    stretch = 1 - acceleration * shifted
    # Beyond the pole of the formula, the interval ends at the outermost resample.
    places = np.where(stretch > 0, ndtr(bias + shifted / np.where(stretch > 0, stretch, 1)), [0.0, 1.0])
    low, high = np.quantile(values, places)
    return float(low), float(high)


def widened(tail: float, num_units: int) -> float:
    """The tail at which the bootstrap of so many units has the end of an interval that misses with probability `tail`.
    A bootstrap of few units is too narrow, because it divides by n for n - 1, and because it takes the units' spread as
    known; Student's t makes up for both (the expanded percentile interval, Hesterberg 2015)."""
    from scipy.special import ndtr, stdtrit

    return float(ndtr(np.sqrt(num_units / (num_units - 1)) * stdtrit(num_units - 1, tail)))


def _with_one_more(
    scores: Scores, config: EvaluationConfig, tail: float, units: Units | None
) -> dict[str, tuple[float, float]]:
    """For each metric, the limits of the Bayesian bootstrap with one more row, which is answered wrongly for the low
    end and rightly for the high end. For a proportion, these are Clopper and Pearson's limits: the share of the wrong
    rows with one more is Beta(wrong + 1, right).

    With units, there is one more unit. It counts as many rows as are wrong (or right) in the unit that has most of
    them. Where few rows are wrong, they do not tell how many may be wrong together; then it counts a unit's mean number
    of rows divided by one more than are wrong, so all of them where none is."""
    unit_M = None if units is None else np.append(units.of_row, units.count)
    sizes = (1.0, 1.0)
    if units is not None:
        sizes = _most_together(units, ~scores.right), _most_together(units, scores.right)

    def both(weights_RM: Array) -> dict[tuple[str, str], Array]:
        wrong, right = scores.with_one_more(weights_RM, sizes)
        return {("low", name): values for name, values in wrong.items()} | {
            ("high", name): values for name, values in right.items()
        }

    values = values_of(both, resampling.bayesian_weights(scores.num_rows + 1, config.resamples, config.seed, unit_M))
    names = {name for _, name in values}
    return {
        name: (float(np.quantile(values["low", name], tail)), float(np.quantile(values["high", name], 1 - tail)))
        for name in names
    }


def _most_together(units: Units, chosen: NDArray[np.bool_]) -> float:
    """How many of the chosen rows may be in one unit, as far as the units show it."""
    counts = np.bincount(units.of_row, chosen, units.count)
    return float(max(counts.max(), units.mean_rows / (counts.sum() + 1)))
