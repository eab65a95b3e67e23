"""The values of a swept key as places on an axis of a plot."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.tracking.names import swept_key
from pipeline.tracking.sweep_job import SweepJob, swept

LOG_FROM = 20.0  # the ratio of the largest to the smallest positive value from which an axis may be logarithmic
LOG_MEDIAN = 0.2  # and at most here, between the smallest, 0, and the largest value, 1, the median is then
LONGEST_LABEL = 16
MOST_LABELS = 12  # of an axis of words


@dataclass(frozen=True)
class Axis:
    """A swept key. `places` (N,) has a number for each job, NaN where a job does not have the key. `labels` names the
    places 0, 1, ... of an axis of words, and is empty for numbers."""

    key: str
    places: NDArray[np.float64]
    labels: tuple[str, ...] = ()
    log: bool = False

    @property
    def ticks(self) -> tuple[list[int], list[str]]:
        """Which places of an axis of words get a label, and the labels."""
        step = math.ceil(len(self.labels) / MOST_LABELS)
        chosen = list(range(0, len(self.labels), step))
        return chosen, [shortened(self.labels[i]) for i in chosen]

    @property
    def shares(self) -> NDArray[np.float64]:
        """The places (N,) between 0, the lowest, and 1, the highest."""
        places = np.log10(self.places) if self.log else self.places
        low, high = np.nanmin(places), np.nanmax(places)
        return (places - low) / (high - low or 1)

    @property
    def ends(self) -> tuple[str, str]:
        """What the lowest and the highest value are called."""
        if self.labels:
            return shortened(self.labels[0]), shortened(self.labels[-1])
        return f"{np.nanmin(self.places):.4g}", f"{np.nanmax(self.places):.4g}"


def params_of_jobs(jobs: Sequence[SweepJob]) -> list[dict[str, str]]:
    """For each job, its swept keys with their values. A grid's records have none, and its overrides tell them."""
    if any(job.params for job in jobs):
        return [job.params for job in jobs]
    return [
        {swept_key(override): override.partition("=")[2] or "removed" for override in overrides}
        for overrides in swept(list(jobs))
    ]


def axes_of(jobs: Sequence[SweepJob]) -> list[Axis]:
    """An axis for each swept key that has several values, in the order in which the keys are first seen."""
    params = params_of_jobs(jobs)
    keys = dict.fromkeys(key for one in params for key in one)
    axes = [axis(key, [one.get(key) for one in params]) for key in keys]
    return [axis for axis in axes if len(np.unique(axis.places)) > 1]


def axis(key: str, texts: Sequence[str | None]) -> Axis:
    found = sorted({text for text in texts if text is not None})
    numbers = {text: number(text) for text in found}
    if all(value is not None for value in numbers.values()):
        places = np.array([math.nan if text is None else numbers[text] for text in texts], np.float64)
        low, median, high = np.nanquantile(places, [0, 0.5, 1])
        return Axis(key, places, log=bool(0 < low * LOG_FROM <= high and median - low <= LOG_MEDIAN * (high - low)))
    order = {text: i for i, text in enumerate(found)}
    return Axis(key, np.array([math.nan if text is None else order[text] for text in texts], np.float64), tuple(found))


def number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def shortened(text: str, length: int = LONGEST_LABEL) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"
