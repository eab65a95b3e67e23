"""A trial that a worker has: it asks whether to stop, and brings the result."""

import math
import os
import socket
from collections.abc import Callable
from dataclasses import replace
from types import TracebackType
from typing import TYPE_CHECKING

from pipeline.data.history import LeftAlive
from pipeline.errors import ConfigError
from pipeline.search.asking import Pruning
from pipeline.search.claims import Lock
from pipeline.search.plan import Plan
from pipeline.search.postgres import repeated
from pipeline.search.trial import OVERRIDES, RESULT, WORKER, Result
from pipeline.tracking.sweep_job import FAILED, FINISHED, PRUNED

if TYPE_CHECKING:
    from optuna.storages import BaseStorage
    from optuna.trial import FrozenTrial


class TakenError(LeftAlive):
    """Another worker had this trial as well, since a lock was lost with its connection, and has finished it."""


class Claimed:
    """A trial that this process works on. Leaving it without `finish` frees it for another worker, as a kill does."""

    def __init__(
        self,
        plan: Plan,
        storage: "BaseStorage",
        trial: "FrozenTrial",
        lock: Lock,
        pruning: Pruning | None,
        look: "Callable[[], list[FrozenTrial]] | None",
    ) -> None:
        self.number = trial.number
        self.overrides: list[str] = list(trial.user_attrs[OVERRIDES])
        self._plan = plan
        self._storage = storage
        self._id = trial._trial_id
        self._lock = lock
        self._pruning = pruning
        self._look = look

    def __enter__(self) -> "Claimed":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._lock.release()

    @property
    def stopped(self) -> int:
        """The epoch after which the trial was to stop, maybe in a process that was killed then; 0 where it was not."""
        return self._pruning.stopped if self._pruning else 0

    def should_prune(self, epoch: int, values: dict[str, float]) -> bool:
        """Whether to stop after this epoch, the first being 1. Its value of the first objective is noted.

        Raises ConfigError where that is not among the values, and TakenError.
        """
        pruning = self._pruning
        if pruning is None:
            return False
        objective = self._plan.settings.objectives[0]
        if objective not in values:
            known = ", ".join(values)
            raise ConfigError(f"sweep.pruner: no epoch has the objective '{objective}', found {known}. Use none.")
        if self._look:
            pruning.see(self._look())
        before = pruning.own
        stops = pruning.stops(epoch, values[objective])

        def write() -> None:
            for key, value in pruning.own.system_attrs.items():
                if key not in before.system_attrs:
                    self._storage.set_trial_system_attr(self._id, key, value)
            if pruning.own.intermediate_values != before.intermediate_values:
                self._storage.set_trial_intermediate_value(self._id, epoch, values[objective])

        self._do(write)
        return stops

    def finish(self, result: Result) -> None:
        """Keep the result, for all workers. A value that is not finite is a failure. Raises TakenError."""
        from optuna.trial import TrialState

        result = self.judged(result)
        state = {FINISHED: TrialState.COMPLETE, PRUNED: TrialState.PRUNED, FAILED: TrialState.FAIL}[result.status]
        note = {**result.as_json(), WORKER: f"{socket.gethostname()}:{os.getpid()}"}

        def write() -> None:
            if result.constraints:
                self._storage.set_trial_system_attr(self._id, "constraints", list(result.constraints))
            self._storage.set_trial_user_attr(self._id, RESULT, note)
            # The last write: until it is there, the trial is as good as running.
            self._storage.set_trial_state_values(self._id, state, list(result.values) or None)

        try:
            self._do(write)
        finally:
            self._lock.release()

    def as_kept(self) -> "FrozenTrial":
        """The trial as all workers see it."""
        return repeated(self._plan.settings.storage, lambda: self._storage.get_trial(self._id))

    def _do(self, write: Callable[[], None]) -> None:
        from optuna.exceptions import UpdateFinishedTrialError

        try:
            repeated(self._plan.settings.storage, write)
        except UpdateFinishedTrialError as error:
            raise TakenError(f"another worker has finished trial {self.number}") from error

    def judged(self, result: Result) -> Result:
        """The result with the values that count, which is what `finish` keeps: a value that is not finite is a
        failure."""
        if result.status == PRUNED:
            epochs = self._pruning.own.intermediate_values if self._pruning else {}
            values = (epochs[max(epochs)],) if epochs else result.values
            return replace(result, values=tuple(value for value in values if math.isfinite(value)))
        if result.status == FAILED:
            return replace(result, values=(), constraints=())
        if len(result.values) != len(self._plan.directions):
            raise ValueError(f"{len(result.values)} values for {len(self._plan.directions)} objectives")
        if not all(math.isfinite(value) for value in (*result.values, *result.constraints)):
            found = ", ".join(map(str, (*result.values, *result.constraints)))
            error = f"an objective or a constraint is not finite: found {found}"
            return replace(result, status=FAILED, values=(), constraints=(), error=error)
        return result
