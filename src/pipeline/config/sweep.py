"""A search: which keys it varies, how trials are chosen, stopped early and judged, and where they run."""

import math
import re
from dataclasses import dataclass, field
from typing import Any

from pipeline.config.checks import check, check_name, one_of
from pipeline.errors import ConfigError

MODES = ORDERED, ASYNC = ("ordered", "async")


@dataclass
class SamplerConfig:
    """How the values of a trial are chosen: `name` is one of SAMPLERS (search/samplers.py). The first `startup` trials
    are chosen at random by samplers that learn from the trials before."""

    name: str = "tpe"
    startup: int = 10

    def check(self) -> None:
        check(self.startup >= 1, "sweep.sampler.startup", self.startup, "1 or more")


@dataclass
class PrunerConfig:
    """When a trial that does badly is stopped: `name` is one of PRUNERS (search/pruners.py).

    No trial is stopped in its first `warmup_epochs`, nor before `startup_trials` others have finished; then it is
    looked at every `interval_epochs`. `patience` is for patient: so many epochs must pass without a better value.
    `percentile` of the trials are kept by percentile. halving and hyperband give a trial `min_epochs` at first, and
    `reduction` times as many each time that it is among the best one in `reduction`; hyperband needs `max_epochs`, the
    epochs of a whole training.
    """

    name: str = "none"
    warmup_epochs: int = 0
    startup_trials: int = 5
    interval_epochs: int = 1
    patience: int = 3
    percentile: float = 25.0
    min_epochs: int = 1
    max_epochs: int = 0
    reduction: int = 3

    def check(self) -> None:
        least = {"warmup_epochs": 0, "startup_trials": 0, "interval_epochs": 1, "patience": 0, "min_epochs": 1}
        for name, least_value in least.items():
            value = getattr(self, name)
            check(value >= least_value, f"sweep.pruner.{name}", value, f"{least_value} or more")
        check(0 < self.percentile < 100, "sweep.pruner.percentile", self.percentile, "more than 0 and less than 100")
        check(self.reduction >= 2, "sweep.pruner.reduction", self.reduction, "2 or more")
        known = self.max_epochs == 0 or self.max_epochs >= self.min_epochs
        check(known, "sweep.pruner.max_epochs", self.max_epochs, f"0 or at least min_epochs ({self.min_epochs})")


@dataclass(frozen=True)
class Constraint:
    """A bound on a value of a trial, such as `parameters <= 100000`."""

    name: str
    sign: str
    bound: float

    @classmethod
    def parse(cls, text: str) -> "Constraint":
        found = re.fullmatch(r"\s*(\w+)\s*(<=|>=)\s*(\S+)\s*", text)
        try:
            if found and math.isfinite(bound := float(found[3])):
                return cls(found[1], found[2], bound)
        except ValueError:
            pass
        raise ConfigError(f"sweep.constraints: found '{text}', expected such as 'parameters <= 100000'.")

    def excess(self, value: float) -> float:
        """By how much `value` breaks the bound; 0 or less where it keeps it."""
        return value - self.bound if self.sign == "<=" else self.bound - value


@dataclass
class SweepConfig:
    """What is asked of a search.

    `space` says for each key which values are tried, in Hydra's words: `interval(0, 0.5)`, `choice(adam, sgd)`. In mode
    `ordered`, trial t is chosen from what the trials up to t - `lag` gave, so that the same trials come out whatever
    the number of `workers` and whatever happens to them; in mode `async`, each is chosen from all that is known.
    `trials` must finish or be pruned; those that fail do not count. `objectives` are what is made best (none: the
    experiment's objective), and trials that break `constraints` are no answer. The best `keep` trials keep their model.

    `storage` is empty for a file in the sweep's folder, or a postgresql:// address. With `seconds`, no trial begins
    later. With `strict`, the command fails if a trial failed. With `retry`, it first lets those that have failed be
    tried again.

    `workers` run `on` this machine, on a Ray cluster or under Slurm. `address` is that of a running Ray cluster, or
    local for submitit's jobs on this machine. `resources` is what one worker needs there, in the words of Ray's
    options() or submitit's update_parameters().
    """

    name: str = ""
    mode: str = ORDERED
    lag: int = 8
    trials: int = 32
    seed: int = 1
    sampler: SamplerConfig = field(default_factory=SamplerConfig)
    pruner: PrunerConfig = field(default_factory=PrunerConfig)
    space: dict[str, Any] = field(default_factory=dict)
    objectives: list[str] = field(default_factory=list)
    constraints: list[str] = field(default_factory=list)
    keep: int = 3
    strict: bool = False
    retry: bool = False
    storage: str = ""
    seconds: float = 0
    workers: int = 1
    on: str = "here"
    address: str = ""
    resources: dict[str, Any] = field(default_factory=dict)

    def check(self) -> None:
        if self.name:
            check_name("sweep.name", self.name)
            check("/" not in self.name, "sweep.name", self.name, "a name without a folder")
        one_of("sweep.mode", self.mode, MODES)
        one_of("sweep.on", self.on, ("here", "ray", "slurm"))
        for name, least in {"lag": 1, "trials": 1, "workers": 1, "keep": 0, "seed": 0, "seconds": 0}.items():
            value = getattr(self, name)
            check(value >= least, f"sweep.{name}", value, f"{least} or more")
        if self.mode == ORDERED:
            most = (
                f"{self.lag} at most: in mode ordered only sweep.lag trials are under way. With another lag it is "
                "another search, which begins anew"
            )
            check(self.workers <= self.lag, "sweep.workers", self.workers, most)
        for kind in ("objectives", "constraints"):
            values = getattr(self, kind)
            twice = next((value for value in values if values.count(value) > 1), None)
            check(twice is None, f"sweep.{kind}", twice, "each one once")
        self.parsed_constraints()

    def parsed_constraints(self) -> list[Constraint]:
        return [Constraint.parse(text) for text in self.constraints]
