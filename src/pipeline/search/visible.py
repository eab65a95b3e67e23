"""Which jobs of a sweep and which scores a plot shows. The best ones are always among them."""

import math
from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from pipeline.search.axes import Axis
from pipeline.tasks import larger_is_better
from pipeline.tracking.sweep_job import SweepJob

Item = TypeVar("Item")
FEWEST_BEST = 10  # of the best jobs, which are drawn besides those that are chosen evenly


def evenly(items: Sequence[Item], most: int) -> list[Item]:
    """At most so many of the items, chosen evenly, the first and the last among them."""
    return [items[i] for i in np.unique(np.linspace(0, len(items) - 1, min(most, len(items))).astype(int))]


def evenly_and_best(jobs: Sequence[SweepJob], most: int, goal: int) -> list[SweepJob]:
    """At most so many of the jobs, chosen evenly, and the best ones besides, all in their order."""
    best = sorted(jobs, key=lambda job: (job.losses[goal], job.number))[:FEWEST_BEST]
    numbers = {job.number for job in (*evenly(jobs, most), *best)}
    return [job for job in jobs if job.number in numbers]


def outer_bounds(values: NDArray[np.float64], goal: str) -> tuple[float, float]:
    """Beyond these bounds scores are so far out that the others could not be told apart (Tukey's fences, wide ones).
    There is no bound on the good side: where most scores are about equally bad, the good ones are far out too."""
    low, high = np.quantile(values, [0.25, 0.75])
    if low == high:
        return -math.inf, math.inf
    width = float(high - low)
    return (float(low) - 3 * width, math.inf) if larger_is_better(goal) else (-math.inf, float(high) + 3 * width)


def limit(set_limits: Callable[[float, float], object], values: NDArray[np.float64], goal: str) -> str:
    """Let an axis of scores end where they are far out, and return how many are left out, in words."""
    low, high = outer_bounds(values, goal)
    inside = values[(values >= low) & (values <= high)]
    if len(inside) == len(values):
        return ""
    margin = 0.06 * (inside.max() - inside.min()) or 1e-9
    set_limits(inside.min() - margin, inside.max() + margin)
    return f" ({len(values) - len(inside)} far out are not shown)"


def clipped(axis: Axis, goal: str) -> Axis:
    """An axis of scores on which what is far out has the place of the last score that is not."""
    low, high = outer_bounds(axis.places, goal)
    inside = axis.places[(axis.places >= low) & (axis.places <= high)]
    return Axis(axis.key, np.clip(axis.places, inside.min(), inside.max()))
