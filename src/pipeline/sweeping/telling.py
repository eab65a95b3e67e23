"""What a search prints while it runs: a line for each trial as it ends, with the best one so far."""

import socket
import sys
from typing import TYPE_CHECKING

from pipeline.search.study import Study
from pipeline.search.trial import RESULT, WORKER, Result, feasible, result_of
from pipeline.tracking.sweep import FAILED, PRUNED, RUNNING

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial


class Teller:
    """Prints each trial once, from what the study holds, so that trials of other machines are told as well. Those that
    had ended before the command began are not told again."""

    def __init__(self, study: Study) -> None:
        self._study = study
        self._told = {trial.number for trial in study.trials() if result_of(trial).status != RUNNING}
        if self._told:
            print(f"going on after {len(self._told)} trials", flush=True)

    def tell(self) -> None:
        """Print the trials that have ended since the last call."""
        for trial in self._study.trials():
            result = result_of(trial)
            if result.status == RUNNING or trial.number in self._told:
                continue
            self._told.add(trial.number)
            if result.status == FAILED:
                self._tell_failure(trial, result)
                continue
            shown = " ".join(f"{value:.6g}" for value in result.values)
            if result.status == PRUNED:
                shown = f"pruned after epoch {result.epochs} at {shown}"
            elif not feasible(trial):
                shown += " (misses a constraint)"
            values = " ".join(self._study.space.overrides(trial.params))
            print(f"trial {trial.number}: {shown}  {result.seconds:.1f} s  {values}{self._best()}", flush=True)

    def _tell_failure(self, trial: "FrozenTrial", result: Result) -> None:
        """A trial that fails says so itself, where its traceback is. Those of other machines and of Slurm's jobs say it
        elsewhere."""
        worker = str(trial.user_attrs.get(RESULT, {}).get(WORKER, ""))
        if self._study.plan.settings.on == "slurm" or worker.rpartition(":")[0] != socket.gethostname():
            print(f"job {trial.number} failed: {result.error} (worker {worker})", file=sys.stderr, flush=True)

    def _best(self) -> str:
        best = self._study.best()
        return f"  (best: {', '.join(map(str, best[:5]))})" if best else ""
