"""How far a search is. All of it is computed from its trials, so that whoever looks sees the same."""

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.config.sweep import ORDERED
from pipeline.search.plan import Plan
from pipeline.tracking.sweep import FAILED, RUNNING

FIRST = 8  # a search whose first so many trials all fail is given up


@dataclass(frozen=True)
class Progress:
    """`told` trials count, in mode `ordered` those before the first one that still runs. `failed` of them failed.
    `asked` is how many there should be by now."""

    told: int
    failed: int
    asked: int
    done: bool


def progress(plan: Plan, total: int, statuses: Sequence[str]) -> Progress:
    """How far a search is whose trials have these statuses, in the order of their numbers."""
    ordered = plan.settings.mode == ORDERED
    each_once = plan.settings.sampler.name == "grid"
    told = failed = 0
    for status in statuses:
        if status == RUNNING:
            if ordered:
                break
            continue
        told += 1
        failed += status == FAILED
        # In mode `ordered` nothing counts behind the trial that ends the search, even if another worker had begun it.
        if ordered and _done(told, failed, total, each_once):
            break
    done = _done(told, failed, total, each_once)
    most = total if each_once else total + failed
    asked = min(told + plan.settings.lag, most) if ordered else min(len(statuses) + 1, most)
    return Progress(told, failed, asked, done)


def _done(told: int, failed: int, total: int, each_once: bool) -> bool:
    if told >= (total if each_once else total + failed):
        return True
    return failed == told == min(total, FIRST) or failed >= 2 * max(total, FIRST)
