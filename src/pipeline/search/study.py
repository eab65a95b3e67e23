"""A search that many workers share: which trials there are, who works on which, and what they gave."""

import secrets
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from pipeline.config.sweep import ORDERED
from pipeline.errors import ConfigError
from pipeline.layout import Layout
from pipeline.search.asking import Pruning, ask
from pipeline.search.begun import check_ours, check_records, token_of_records
from pipeline.search.claimed import Claimed
from pipeline.search.claims import Claims
from pipeline.search.plan import Plan
from pipeline.search.postgres import answering, repeated, shown
from pipeline.search.progress import Progress, progress
from pipeline.search.retrying import retries, retries_in, statuses_of
from pipeline.search.storage import JOURNAL_FILE, open_storage
from pipeline.search.trial import feasible, status_of
from pipeline.tracking.sweep_job import FINISHED, RUNNING

if TYPE_CHECKING:
    from optuna.storages import BaseStorage
    from optuna.trial import FrozenTrial

PLAN, TOKEN = "plan", "token"  # names of what is kept with the study


class Study:
    """An open search. Every method reads what all workers have done by then."""

    def __init__(self, plan: Plan, storage: "BaseStorage", claims: Claims) -> None:
        self.plan = plan
        self.space = plan.checked()
        self.total = plan.total
        self.storage = storage
        self.claims = claims
        self.id = storage.get_study_id_from_name(plan.name)

    @classmethod
    def create_or_open(cls, plan: Plan, layout: Layout) -> "Study":
        """The search of this plan, which is begun if it is new. Raises ConfigError for a plan that cannot be used or
        that is not the stored one, and for a storage that does not answer."""
        plan.checked()
        opened = open_storage(plan.settings.storage, plan.name, layout.sweep(plan.name))
        return cls.begin(plan, *opened, token_of_records(layout, plan.name))

    @classmethod
    def begin(cls, plan: Plan, storage: "BaseStorage", claims: Claims, of_records: str = "") -> "Study":
        """Store the plan, or see that it is the stored one. `of_records` is the token of the study whose records there
        are."""
        from optuna.study import Study as OptunaStudy
        from optuna.study import StudyDirection

        with answering(plan.settings.storage), claims.study():
            names = {study.study_name: study._study_id for study in storage.get_all_studies()}
            found = storage.get_study_user_attrs(names[plan.name]).get(TOKEN) if plan.name in names else None
            check_records(plan, of_records, found)
            if plan.name not in names:
                directions = [StudyDirection[direction.upper()] for direction in plan.directions]
                names[plan.name] = storage.create_new_study(directions, plan.name)
            stored = storage.get_study_user_attrs(names[plan.name]).get(PLAN)
            if stored is None:
                check_ours(plan, storage, names[plan.name])
                storage.set_study_user_attr(names[plan.name], TOKEN, secrets.token_hex(8))
                if plan.settings.objectives:
                    # for people who look at the study with tools of Optuna's
                    OptunaStudy(plan.name, storage).set_metric_names(plan.settings.objectives)
            else:
                before = Plan.from_json(stored, plan.settings.storage)
                before.check_same(plan)
                # The order of the keys is that of the first start, since the trials depend on it.
                plan = before.with_free_of(plan)
            if stored != plan.as_json():
                storage.set_study_user_attr(names[plan.name], PLAN, plan.as_json())
        return cls(plan, storage, claims)

    @classmethod
    def open(cls, storage: str, name: str, layout: Layout) -> "Study":
        """The search of this name. Raises ConfigError where there is none."""
        place = shown(storage) if storage else layout.sweep(name)
        missing = ConfigError(f"sweep {name}: not found in {place}. Begin it by its command.")
        if not storage and not (layout.sweep(name) / JOURNAL_FILE).is_file():
            raise missing
        opened, claims = open_storage(storage, name, layout.sweep(name))
        try:
            with answering(storage):
                stored = opened.get_study_user_attrs(opened.get_study_id_from_name(name))[PLAN]
        except KeyError as error:
            raise missing from error
        return cls(Plan.from_json(stored, storage), opened, claims)

    @property
    def token(self) -> str:
        """What tells this study from others of its name: in another storage, or after it was removed."""
        with answering(self.plan.settings.storage):
            return str(self.storage.get_study_user_attrs(self.id).get(TOKEN, ""))

    def of_trials(self, trials: int) -> "Study":
        """This search with so many trials, whatever number is stored."""
        settings = replace(self.plan.settings, trials=trials)
        return Study(replace(self.plan, settings=settings), self.storage, self.claims)

    @property
    def ordered(self) -> bool:
        return self.plan.settings.mode == ORDERED

    def trials(self) -> "list[FrozenTrial]":
        """All trials by number, as Optuna keeps them; not to be changed."""
        return repeated(self.plan.settings.storage, lambda: self.storage.get_all_trials(self.id, deepcopy=False))

    def progress(self) -> Progress:
        return self._progress(self.trials())

    def _progress(self, trials: "list[FrozenTrial]") -> Progress:
        return progress(self.plan, self.total, statuses_of(trials), retries_in(trials))

    @property
    def done(self) -> bool:
        """Whether the search has all its trials, or is given up because its first ones or very many failed."""
        return self.progress().done

    def known_to(self, number: int) -> int:
        """How many of the first trials the trial `number` may know the results of, in mode `ordered`."""
        return max(0, number + 1 - self.plan.settings.lag)

    def claim(self) -> "Claimed | None":
        """The lowest trial that nobody works on, or a new one where it is time for one; None where there is none."""
        # As a whole: when the server is there again, the lock of the study is free.
        return repeated(self.plan.settings.storage, self._claim)

    def _claim(self) -> "Claimed | None":
        with answering(self.plan.settings.storage), self.claims.study():
            trials = self.trials()
            state = self._progress(trials)
            if state.done:
                return None
            while self.ordered and len(trials) < state.asked:
                trials = self._ask(trials)
            # Until so many are told, a pruner of a trial that tries another one again would see some that still run.
            ready = state.told + self.plan.settings.lag if self.ordered else len(trials)
            for trial in trials[:ready]:
                if status_of(trial) == RUNNING and (claimed := self._take(trial)):
                    return claimed
            if not self.ordered and len(trials) < state.asked:
                return self._take(self._ask(trials)[-1])
        return None

    def retry(self) -> list[int]:
        """Let what has failed be tried again, by further trials with the same values, which are returned. A search that
        is complete has replaced what failed, and gets none, but a grid does: there each point counts."""
        return repeated(self.plan.settings.storage, self._retry)

    def _retry(self) -> list[int]:
        with answering(self.plan.settings.storage), self.claims.study():
            trials, state = self.trials(), self.progress()
            if state.done and not state.given_up and self.plan.settings.sampler.name != "grid":
                return []
            again = retries(trials)
            for trial in again:
                self.storage.create_new_trial(self.id, trial)
            return list(range(len(trials), len(trials) + len(again)))

    def retried(self) -> set[int]:
        """The failed trials that are tried again by others."""
        return set(retries_in(self.trials()).values())

    def _ask(self, trials: "list[FrozenTrial]") -> "list[FrozenTrial]":
        """All trials and a new one. It is stored by one write, so that it is there wholly or not at all."""
        fresh = ask(self.plan, self.space, self.seen_by(len(trials), trials))
        fresh._trial_id = self.storage.create_new_trial(self.id, fresh)
        return [*trials, fresh]

    def seen_by(self, number: int, trials: "list[FrozenTrial]") -> "list[FrozenTrial]":
        """The trials as the trial `number` may see them: in mode `ordered` those before it."""
        from pipeline.search.view import numbered, seen_from

        if self.ordered:
            return seen_from(trials, number, self.known_to(number))
        return [numbered(trial, trial.number) for trial in trials]

    def _take(self, trial: "FrozenTrial") -> "Claimed | None":
        lock = self.claims.trial(trial.number)
        if lock is None:
            return None
        try:
            # Its worker may have finished it since it was read.
            now = self.storage.get_trial(trial._trial_id)
            if status_of(now) == RUNNING:
                return Claimed(self.plan, self.storage, now, lock, self._pruning(now.number), self._look(now.number))
        except BaseException:
            lock.release()
            raise
        lock.release()
        return None

    def _pruning(self, number: int) -> Pruning | None:
        if self.plan.settings.pruner.name == "none":
            return None
        return Pruning(self.plan, self.seen_by(number, self.trials()), number)

    def _look(self, number: int) -> "Callable[[], list[FrozenTrial]] | None":
        """How a trial sees others while it trains: in mode `ordered`, not at all."""
        return None if self.ordered else lambda: self.seen_by(number, self.trials())

    def best(self) -> list[int]:
        """The numbers of the best trials: one for one objective, the Pareto front for several; none where no trial
        finished that keeps the constraints. Of equal ones the first counts."""
        told = self.trials()[: self.progress().told] if self.ordered else self.trials()
        fine = [trial for trial in told if status_of(trial) == FINISHED and feasible(trial)]
        signs = [1 if direction == "minimize" else -1 for direction in self.plan.directions]
        losses = {t.number: [sign * value for sign, value in zip(signs, t.values, strict=True)] for t in fine}
        if len(signs) == 1:
            return sorted(losses, key=lambda number: (losses[number], number))[:1]
        return [number for number, loss in losses.items() if not any(_beats(other, loss) for other in losses.values())]


def _beats(one: list[float], other: list[float]) -> bool:
    return one != other and all(mine <= its for mine, its in zip(one, other, strict=True))
