"""How far a search is. All of it is computed from its trials, so that whoever looks sees the same."""

from collections.abc import Container, Sequence
from dataclasses import dataclass

from pipeline.config.sweep import ORDERED
from pipeline.search.plan import Plan
from pipeline.search.retrying import RETRIED
from pipeline.tracking.sweep_job import FAILED, RUNNING

FIRST = 8  # a search whose first so many trials all fail is given up


@dataclass(frozen=True)
class Progress:
    """`told` trials count, in mode `ordered` those before the first one that still runs. `failed` of them failed and
    are not tried again.
    `asked` is how many there should be by now. A search that is `given_up` is done without having what it wanted."""

    told: int
    failed: int
    asked: int
    done: bool
    given_up: bool


@dataclass
class _Count:
    """Of the trials that are told: how many there are, failed without another try, failed with one, and are such a try
    themselves, of which there are `retries` in all."""

    total: int
    each_once: bool
    retries: int
    told: int = 0
    failed: int = 0
    retried: int = 0
    tried: int = 0

    @property
    def complete(self) -> bool:
        found = self.told - self.retried - (0 if self.each_once else self.failed)
        return found >= self.total and self.tried == self.retries

    @property
    def hopeless(self) -> bool:
        """Failed trials are replaced, but not for ever: what always fails is given up."""
        all_failed = self.failed == self.told - self.retried >= min(self.total, FIRST)
        return not self.each_once and (all_failed or self.failed >= 2 * max(self.total, FIRST))

    @property
    def most(self) -> int:
        """How many trials there may be, by what is told."""
        return self.total + self.retried + (0 if self.each_once else self.failed)


def progress(plan: Plan, total: int, statuses: Sequence[str], retries: Container[int] = ()) -> Progress:
    """How far a search is whose trials have these statuses, in the order of their numbers. Those of `retries` try again
    what has failed; a search is not complete without them."""
    ordered = plan.settings.mode == ORDERED
    each_once = plan.settings.sampler.name == "grid"
    count = _Count(total, each_once, sum(number in retries for number in range(len(statuses))))
    for number, status in enumerate(statuses):
        if status == RUNNING:
            if ordered:
                break
            continue
        count.told += 1
        count.failed += status == FAILED
        count.retried += status == RETRIED
        count.tried += number in retries
        # In mode `ordered` nothing counts behind the trial that ends the search, even if another worker had begun it.
        if ordered and (count.complete or count.hopeless):
            break
    asked = min(count.told + plan.settings.lag if ordered else len(statuses) + 1, count.most)
    hopeless = count.hopeless and not count.complete
    # In mode `async`, one of those that still run may finish; until then no other one begins.
    waits = hopeless and not ordered and RUNNING in statuses
    given_up = hopeless and not waits
    done = count.complete or given_up
    return Progress(count.told, count.failed, len(statuses) if waits else asked, done, given_up)
