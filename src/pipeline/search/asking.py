"""What a trial is asked to try, and whether it should stop: pure functions of the trials that it may see."""

from typing import TYPE_CHECKING

from pipeline.search.plan import Plan
from pipeline.search.pruners import PRUNERS
from pipeline.search.retrying import retries_in
from pipeline.search.samplers import SAMPLERS, Ask
from pipeline.search.space import Space
from pipeline.search.trial import OVERRIDES

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.trial import FrozenTrial, Trial


def ask(plan: Plan, space: Space, seen: "list[FrozenTrial]") -> "FrozenTrial":
    """The next trial after those `seen`: running, with its values and its overrides, ready to be stored."""
    from pipeline.search.view import STUDY_NOTES, View

    number = len(seen)
    view = View(plan.name, plan.directions, seen, number)
    # What is tried again was not chosen by the sampler, and takes no point of a grid.
    chosen = number - len(retries_in(seen))
    trial = view.study(SAMPLERS[plan.settings.sampler.name].build(Ask(plan.settings, space, chosen))).ask()
    values: dict[str, str | float] = {}
    for parameter in space.parameters:
        if space.active(parameter, values):
            values[parameter.key] = suggest(trial, parameter.key, parameter.distribution)
    fresh = view.own
    fresh.user_attrs = {OVERRIDES: space.overrides(values)}
    if view.new_notes:
        fresh.system_attrs[STUDY_NOTES] = view.new_notes
    return fresh


def suggest(trial: "Trial", key: str, distribution: "BaseDistribution") -> str | float:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if isinstance(distribution, CategoricalDistribution):
        return str(trial.suggest_categorical(key, distribution.choices))
    if isinstance(distribution, IntDistribution):
        return trial.suggest_int(key, distribution.low, distribution.high, step=distribution.step, log=distribution.log)
    assert isinstance(distribution, FloatDistribution)
    return trial.suggest_float(key, distribution.low, distribution.high, step=distribution.step, log=distribution.log)


class Pruning:
    """Whether the trial `number` should stop, given the trials that it may see and its own values, epoch by epoch.

    The decisions about the epochs that it had before are made again. So a trial that another worker takes up stops
    where it would have stopped.
    """

    def __init__(self, plan: Plan, seen: "list[FrozenTrial]", number: int) -> None:
        from pipeline.search.view import View, as_asked

        before = seen[number].intermediate_values
        self.view = View(plan.name, plan.directions, seen, number)
        self.view.trials[number] = as_asked(seen[number])
        self.pruner = PRUNERS[plan.settings.pruner.name].build(plan.settings.pruner)
        self.study = self.view.study()
        self.stopped = 0  # the epoch at which the trial was told to stop
        for epoch, value in sorted(before.items()):
            self.stops(epoch, value)

    @property
    def own(self) -> "FrozenTrial":
        return self.view.own

    def see(self, seen: "list[FrozenTrial]") -> None:
        """Let the trial see what has become of the others by now."""
        own = self.own
        self.view.trials = list(seen)
        self.view.trials[own.number] = own

    def stops(self, epoch: int, value: float) -> bool:
        if not self.stopped and epoch not in self.own.intermediate_values:
            self.view.set_trial_intermediate_value(self.view.number, epoch, value)
            if self.pruner.prune(self.study, self.own):
                self.stopped = epoch
        return 0 < self.stopped <= epoch
