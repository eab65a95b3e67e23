"""The promotion gate: functions of scores and a rule, which know no server and no file."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.config import PromotionConfig
from pipeline.evaluation.resampling import bootstrap_weights
from pipeline.tasks.task import Task

Array = NDArray[np.float64]
SEED = 0


@dataclass(frozen=True)
class Verdict:
    promoted: bool
    reason: str


@dataclass(frozen=True)
class Comparison:
    """How much better the candidate is: the mean gain over the test rows, and that mean's one-sided lower bound."""

    difference: float
    bound: float


def unmet_minima(values: dict[str, float], minima: dict[str, float], task: Task) -> str | None:
    """The first minimum that a test metric misses, in words, or None. For a metric that should be small, the minimum is
    a maximum."""
    for name, limit in minima.items():
        metric = task.metric(name, "params.yaml: promotion.minima")
        if metric.misses(values[name], limit):
            side = "below" if metric.higher_is_better else "above"
            return f"{name} {values[name]:.6g} is {side} the {metric.limit} {limit:g}"
    return None


def compare(candidate: Array, champion: Array, rule: PromotionConfig) -> Comparison:
    """Paired bootstrap of the mean difference of per-row gains (N,), higher better, over the same test rows.

    Efron and Tibshirani 1993, chapters 13 and 16; for comparing two systems on one test set: Koehn 2004.
    """
    gain = candidate - champion
    num_rows = len(gain)
    means = np.concatenate([weights @ gain for weights in bootstrap_weights(num_rows, rule.resamples, SEED)])
    means /= num_rows
    return Comparison(float(gain.mean()), float(np.quantile(means, 1 - rule.confidence)))


def judge(comparison: Comparison, champion: str, unit: str, rule: PromotionConfig) -> Verdict:
    """The verdict: promote only where the whole one-sided interval is above 0, which is no difference."""
    numbers = f"{comparison.difference:+.4g} {unit} a row, lower {rule.confidence:.0%} bound {comparison.bound:+.4g}"
    if comparison.bound > 0:
        return Verdict(True, f"better than {champion}: {numbers}")
    return Verdict(False, f"not shown to be better than {champion}: {numbers}")
