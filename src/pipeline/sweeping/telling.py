"""What a search prints while it runs: a line for each trial as it ends, with the best one so far."""

import socket
import sys
from typing import TYPE_CHECKING

from pipeline.layout import Layout
from pipeline.search.study import Study
from pipeline.search.trial import RESULT, WORKER, Result, feasible, result_of
from pipeline.sweeping.records import Records
from pipeline.tracking.sweep_job import FAILED, PRUNED, RUNNING

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial


class Teller:
    """Prints each trial once and keeps its record, from what the study holds, so that trials of other machines are told
    as well. Those that had ended before the command began are not told again."""

    def __init__(self, study: Study, layout: Layout) -> None:
        self._study, self._records, self.folder = study, Records(study, layout), layout.sweep(study.plan.name)
        begun = study.trials()
        self._told = {trial.number for trial in begun if result_of(trial).status != RUNNING}
        if begun:
            print(f"going on after {len(self._told)} trials", flush=True)

    def tell(self) -> None:
        """Tell the trials that have ended since the last call."""
        self._records.keep()
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
        host = worker.rpartition(":")[0]
        if self._study.plan.settings.on == "slurm" or host != socket.gethostname():
            overrides = " ".join([*self._study.plan.overrides, *self._study.space.overrides(trial.params)])
            place = f"; traceback on {host} in {self.folder / result.log}" if result.log else ""
            print(f"job {trial.number} failed: {result.error} (worker {worker})", file=sys.stderr)
            print(f"  with {overrides}{place}", file=sys.stderr, flush=True)

    def _best(self) -> str:
        best = self._study.best()
        return f"  (best: {', '.join(map(str, best[:5]))})" if best else ""
