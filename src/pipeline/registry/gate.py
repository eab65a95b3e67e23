"""The promotion gate: functions of scores and a rule, which know no server and no file."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.config import PromotionConfig
from pipeline.evaluation.intervals import widened
from pipeline.evaluation.resampling import bootstrap_weights
from pipeline.evaluation.units import least_units
from pipeline.tasks.task import Task

Array = NDArray[np.float64]
SEED = 0


@dataclass(frozen=True)
class Verdict:
    promoted: bool
    reason: str


@dataclass(frozen=True)
class Comparison:
    """How much better the candidate is: the mean gain over the test rows, and that mean's one-sided lower bound. It is
    by so many groups or blocks of rows, or by single rows where `units` is None. Of too few units there is no bound."""

    difference: float
    bound: float | None
    units: int | None = None


def unmet_minima(values: dict[str, float], minima: dict[str, float], task: Task) -> str | None:
    """The first minimum that a test metric misses, in words, or None. For a metric that should be small, the minimum is
    a maximum."""
    for name, limit in minima.items():
        metric = task.metric(name, "params.yaml: promotion.minima")
        if metric.misses(values[name], limit):
            side = "below" if metric.higher_is_better else "above"
            return f"{name} {values[name]:.6g} is {side} the {metric.limit} {limit:g}"
    return None


def compare(
    candidate: Array, champion: Array, rule: PromotionConfig, unit_N: NDArray[np.int64] | None = None
) -> Comparison:
    """Paired bootstrap of the mean difference of per-row gains (N,), higher better, over the same test rows.

    Efron and Tibshirani 1993, chapters 13 and 16; for comparing two systems on one test set: Koehn 2004. `unit_N` is
    the number of each row's unit, where rows are not independent; then units are resampled (evaluation/units.py).
    """
    gain = candidate - champion
    if unit_N is not None:
        return _compare_units(gain, unit_N, rule)
    num_rows = len(gain)
    means = np.concatenate([weights @ gain for weights in bootstrap_weights(num_rows, rule.resamples, SEED)])
    means /= num_rows
    return Comparison(float(gain.mean()), float(np.quantile(means, 1 - rule.confidence)))


def _compare_units(gain: Array, unit_N: NDArray[np.int64], rule: PromotionConfig) -> Comparison:
    gains, sizes = np.bincount(unit_N, gain), np.bincount(unit_N)
    difference, tail, count = float(gain.mean()), 1 - rule.confidence, len(sizes)
    if count < least_units(tail):
        return Comparison(difference, None, count)
    means = np.concatenate([(w @ gains) / (w @ sizes) for w in bootstrap_weights(count, rule.resamples, SEED)])
    return Comparison(difference, float(np.quantile(means, widened(tail, count))), count)


def judge(comparison: Comparison, champion: str, unit: str, rule: PromotionConfig) -> Verdict:
    """The verdict: promote only where the whole one-sided interval is above 0, which is no difference."""
    numbers = f"{comparison.difference:+.4g} {unit} a row"
    if comparison.bound is None:
        least = least_units(1 - rule.confidence)
        return Verdict(
            False,
            f"not shown to be better than {champion}: {numbers}, but the test rows are {comparison.units} groups or "
            f"blocks, expected {least} or more",
        )
    numbers += f", lower {rule.confidence:.0%} bound {comparison.bound:+.4g}"
    if comparison.units is not None:
        numbers += f" by {comparison.units} groups or blocks"
    if comparison.bound > 0:
        return Verdict(True, f"better than {champion}: {numbers}")
    return Verdict(False, f"not shown to be better than {champion}: {numbers}")
