"""Workers of a search in one process: they take turns in a random order, train for a few epochs by a formula, and die
when they are told to."""

import random
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.config.sweep import PrunerConfig, SamplerConfig, SweepConfig
from pipeline.search.claimed import Claimed
from pipeline.search.claims import Lock
from pipeline.search.plan import Plan
from pipeline.search.storage import open_journal, silence
from pipeline.search.study import Study
from pipeline.search.trial import Result
from pipeline.tracking.sweep_job import FAILED, FINISHED, PRUNED

EPOCHS = 4
FAILS_IN = 2  # the epoch in which a training fails, if it does
SPACE = {
    "model.dropout": "interval(0, 0.5)",
    "trainer.lr": "tag(log, interval(1e-4, 1e-1))",
    "model.filters": "choice([8,16],[16,32])",
    "model.layers": "tag(int, interval(1, 4))",
}
CONDITIONAL = {
    **SPACE,
    "trainer.momentum": {"when": {"trainer.optimizer": "sgd"}, "of": "interval(0, 0.9)"},
    "trainer.optimizer": "choice(adam, sgd)",
}


def plan_of(
    space: dict[str, Any] | None = None,
    sampler: str = "tpe",
    pruner: PrunerConfig | None = None,
    objectives: int = 1,
    name: str = "found",
    startup: int = 10,
    **settings: Any,
) -> Plan:
    config = SweepConfig(
        space=SPACE if space is None else space,
        sampler=SamplerConfig(sampler, startup),
        pruner=pruner or PrunerConfig(),
        objectives=["val_loss", "parameters"][:objectives],
        **settings,
    )
    return Plan(name, "cnn_digits", ("experiment=cnn_digits",), config, ("minimize",) * objectives, "code:2 data:2")


def trained(overrides: list[str], epoch: int) -> float:
    """The loss of a trial after an epoch."""
    values = dict(override.split("=") for override in overrides)
    loss = abs(float(values.get("model.dropout", 0)) - 0.3) + float(values.get("trainer.momentum", 0.5)) / 5
    loss += 0.1 * ("[8,16]" in values.get("model.filters", "")) + 30 * float(values.get("trainer.lr", 0))
    return loss + zlib.crc32(f"{overrides} {epoch}".encode()) % 97 / 300 + 0.2 / epoch


def result_of_training(plan: Plan, overrides: list[str], failing: int) -> Result:
    """Each `failing`th trial or so fails; 0: none."""
    if failing and zlib.crc32("".join(overrides).encode()) % failing == 0:
        return Result(FAILED, error="no memory")
    loss = trained(overrides, EPOCHS)
    constraints = tuple(loss - 1.0 for _ in plan.settings.constraints)
    return Result(FINISHED, (loss, float(len(" ".join(overrides))))[: len(plan.directions)], constraints)


class Killed(BaseException):
    pass


class Dying:
    """A storage whose user dies right after the write number `after`; 0: it does not."""

    def __init__(self, storage: Any, after: int) -> None:
        self.storage = storage
        self.left = after

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.storage, name)
        if not name.startswith(("set_", "create_")):
            return found

        def write(*arguments: Any, **named: Any) -> Any:
            value = found(*arguments, **named)
            self.left -= 1
            if self.left == 0:
                raise Killed
            return value

        return write


@dataclass
class HeldClaims:
    """Locks of workers in one process: whose is each trial."""

    held: dict[int, int]
    worker: int

    @contextmanager
    def study(self) -> Iterator[None]:
        yield

    def trial(self, number: int) -> Lock | None:
        if number in self.held:
            return None
        self.held[number] = self.worker
        return Lock(lambda: self.held.pop(number, None))


@dataclass
class Worker:
    plan: Plan
    path: Path
    held: dict[int, int]
    number: int
    chance: random.Random
    failing: int
    study: Study | None = None
    claimed: Claimed | None = None
    epoch: int = 0

    def live(self, dies_after: int) -> None:
        """Do one thing."""
        if self.study is None:
            storage: Any = Dying(open_journal(self.path), dies_after)
            self.study = Study.begin(self.plan, storage, HeldClaims(self.held, self.number))
        elif self.claimed is None:
            self.claimed = self.study.claim()
            # a training goes on from some checkpoint
            noted = len(self.study.trials()[self.claimed.number].intermediate_values) if self.claimed else 0
            self.epoch = self.chance.randint(0, min(noted, EPOCHS - 1))
        else:
            self.train(self.claimed)

    def train(self, claimed: Claimed) -> None:
        result = result_of_training(self.plan, claimed.overrides, self.failing)
        self.epoch += 1
        values = {"val_loss": trained(claimed.overrides, self.epoch)}
        if result.status == FAILED and self.epoch >= FAILS_IN:
            pass
        elif claimed.stopped or claimed.should_prune(self.epoch, values):
            result = Result(PRUNED, (values["val_loss"],))
        elif self.epoch < EPOCHS:
            return
        claimed.finish(result)
        self.claimed = None

    def die(self) -> None:
        self.study = self.claimed = None
        for trial in [trial for trial, holder in self.held.items() if holder == self.number]:
            del self.held[trial]


@dataclass
class Search:
    """A simulation: `kills` is how often workers died."""

    path: Path
    plan: Plan
    workers: int = 1
    order: int = 0
    dies_within: int = 0  # a worker dies after at most so many writes; 0: none does
    failing: int = 0
    kills: int = 0
    held: dict[int, int] = field(default_factory=dict)

    def run(self) -> "Search":
        silence()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        chance = random.Random(self.order)
        workers = [
            Worker(self.plan, self.path, self.held, number, chance, self.failing) for number in range(self.workers)
        ]
        for _ in range(5_000):
            worker = chance.choice(workers)
            try:
                worker.live(chance.randint(1, self.dies_within) if self.dies_within else 0)
            except Killed:
                self.kills += 1
                worker.die()
            if worker.study is not None and worker.claimed is None and worker.study.done:
                return self
        raise AssertionError("the search does not end")

    def study(self) -> Study:
        return Study.begin(self.plan, open_journal(self.path), HeldClaims({}, -1))  # type: ignore[arg-type]

    def trials(self) -> list[tuple[Any, ...]]:
        """All that is known of each trial, without times and machines."""
        return [
            (
                trial.number,
                trial.state.name,
                trial.params,
                trial.values,
                trial.user_attrs["overrides"],
                trial.intermediate_values,
                trial.system_attrs,
            )
            for trial in self.study().trials()
        ]
