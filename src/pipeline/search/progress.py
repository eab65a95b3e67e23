"""How far a search is. All of it is computed from its trials, so that whoever looks sees the same."""

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.config.sweep import ORDERED
from pipeline.search.plan import Plan
from pipeline.tracking.sweep_job import FAILED, RUNNING

FIRST = 8  # a search whose first so many trials all fail is given up


@dataclass(frozen=True)
class Progress:
    """`told` trials count, in mode `ordered` those before the first one that still runs. `failed` of them failed.
    `asked` is how many there should be by now. A search that is `given_up` is done without having what it wanted."""

    told: int
    failed: int
    asked: int
    done: bool
    given_up: bool


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
        if ordered and (_complete(told, failed, total, each_once) or _hopeless(told, failed, total, each_once)):
            break
    complete = _complete(told, failed, total, each_once)
    hopeless = not complete and _hopeless(told, failed, total, each_once)
    most = total if each_once else total + failed
    asked = min(told + plan.settings.lag, most) if ordered else min(len(statuses) + 1, most)
    # In mode `async`, one of those that still run may finish; until then no other one begins.
    waits = hopeless and not ordered and RUNNING in statuses
    given_up = hopeless and not waits
    return Progress(told, failed, len(statuses) if waits else asked, complete or given_up, given_up)


def _complete(told: int, failed: int, total: int, each_once: bool) -> bool:
    return told >= total if each_once else told - failed >= total


def _hopeless(told: int, failed: int, total: int, each_once: bool) -> bool:
    """Failed trials are replaced, but not for ever: what always fails is given up."""
    return not each_once and (failed == told >= min(total, FIRST) or failed >= 2 * max(total, FIRST))
