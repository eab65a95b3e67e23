"""A study as one trial sees it, in memory: Optuna's samplers and pruners read it and write to it as to any storage.

So a suggestion is computed first and then stored by one write, and it cannot depend on what came later. Optuna is
imported here at the top; modules that import this one do so inside functions.
"""

import copy
from collections.abc import Container, Sequence
from typing import Any

from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from optuna.storages import BaseStorage
from optuna.study import Study, StudyDirection
from optuna.study._frozen import FrozenStudy
from optuna.trial import FrozenTrial, TrialState

# A trial keeps under this name what its sampler noted of the whole study.
STUDY_NOTES = "study_notes"
# What is known of a trial when it is asked has none of these system attributes.
LATER = ("constraints", "completed_rung_")


class View(BaseStorage):
    """The trials that are known, and a place for the one that looks at them, whose number is `number`.

    Trials have their numbers as ids, so that what samplers note of them means the same in every storage.
    """

    def __init__(self, name: str, directions: Sequence[str], trials: list[FrozenTrial], number: int) -> None:
        self.name = name
        self.directions = [StudyDirection[direction.upper()] for direction in directions]
        self.trials = list(trials)
        self.number = number
        self.notes: dict[str, Any] = {}
        self.new_notes: dict[str, Any] = {}
        for trial in self.trials[:number]:
            self.notes.update(trial.system_attrs.get(STUDY_NOTES, {}))

    def study(self, sampler: BaseSampler | None = None) -> Study:
        from optuna.pruners import NopPruner
        from optuna.samplers import RandomSampler

        return Study(self.name, self, sampler or RandomSampler(), NopPruner())

    @property
    def own(self) -> FrozenTrial:
        return self.trials[self.number]

    # reading

    def get_study_id_from_name(self, study_name: str) -> int:
        return 0

    def get_study_name_from_id(self, study_id: int) -> str:
        return self.name

    def get_study_directions(self, study_id: int) -> list[StudyDirection]:
        return self.directions

    def get_study_user_attrs(self, study_id: int) -> dict[str, Any]:
        return {}

    def get_study_system_attrs(self, study_id: int) -> dict[str, Any]:
        return self.notes

    def get_all_studies(self) -> list[FrozenStudy]:
        return []

    def get_trial(self, trial_id: int) -> FrozenTrial:
        return self.trials[trial_id]

    def get_all_trials(
        self, study_id: int, deepcopy: bool = True, states: Container[TrialState] | None = None
    ) -> list[FrozenTrial]:
        trials = [trial for trial in self.trials if states is None or trial.state in states]
        return copy.deepcopy(trials) if deepcopy else trials

    # writing, to the trial that looks alone

    def set_study_system_attr(self, study_id: int, key: str, value: Any) -> None:
        self.notes[key] = self.new_notes[key] = value

    def create_new_trial(self, study_id: int, template_trial: FrozenTrial | None = None) -> int:
        from optuna.trial import create_trial

        self.trials.append(numbered(create_trial(state=TrialState.RUNNING), self.number))
        return self.number

    def set_trial_param(
        self, trial_id: int, param_name: str, param_value_internal: float, distribution: BaseDistribution
    ) -> None:
        value = distribution.to_external_repr(param_value_internal)
        self._change("params", param_name, value)
        self._change("distributions", param_name, distribution)

    def set_trial_system_attr(self, trial_id: int, key: str, value: Any) -> None:
        self._change("system_attrs", key, value)

    def set_trial_intermediate_value(self, trial_id: int, step: int, intermediate_value: float) -> None:
        self._change("intermediate_values", step, intermediate_value)

    def _change(self, part: str, key: str | int, value: Any) -> None:
        """Put a changed copy in the own trial's place: who has read a trial before does not see it change."""
        fresh = copy.copy(self.own)
        setattr(fresh, part, {**getattr(fresh, part), key: value})
        self.trials[self.number] = fresh

    # what no sampler or pruner does

    def create_new_study(self, directions: Sequence[StudyDirection], study_name: str | None = None) -> int:
        raise NotImplementedError

    def delete_study(self, study_id: int) -> None:
        raise NotImplementedError

    def set_study_user_attr(self, study_id: int, key: str, value: Any) -> None:
        raise NotImplementedError

    def set_trial_state_values(self, trial_id: int, state: TrialState, values: Sequence[float] | None = None) -> bool:
        raise NotImplementedError

    def set_trial_user_attr(self, trial_id: int, key: str, value: Any) -> None:
        raise NotImplementedError


class FixedPoint(BaseSampler):
    """A sampler whose values are known beforehand."""

    def __init__(self, values: dict[str, Any]) -> None:
        self.values = values

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        return {}

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        return {}

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        return self.values[param_name]


def numbered(trial: FrozenTrial, number: int) -> FrozenTrial:
    """`trial` with its number as id, which it may have already."""
    if trial.number == trial._trial_id == number:
        return trial
    fresh = copy.copy(trial)
    fresh.number = fresh._trial_id = number
    return fresh


def as_asked(trial: FrozenTrial) -> FrozenTrial:
    """`trial` as it was when it was asked: running, and nothing known of it but its values."""
    fresh = copy.copy(trial)
    fresh.state, fresh.values, fresh.intermediate_values = TrialState.RUNNING, None, {}
    fresh.datetime_complete = None
    fresh.system_attrs = {key: value for key, value in trial.system_attrs.items() if not key.startswith(LATER)}
    return fresh


def seen_from(trials: Sequence[FrozenTrial], number: int, known: int) -> list[FrozenTrial]:
    """The trials up to `number`, as that one may see them: the first `known` with their results, itself as it is, and
    the others as asked."""
    return [
        numbered(trial if trial.number < known or trial.number == number else as_asked(trial), trial.number)
        for trial in trials[: number + 1]
    ]
