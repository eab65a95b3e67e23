"""The records of a search's trials, in this machine's folder of the sweep, on whichever machine they ran."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pipeline.layout import Layout
from pipeline.search.claimed import Claimed, TakenError
from pipeline.search.plan import Plan
from pipeline.search.study import Study
from pipeline.search.trial import OVERRIDES, RESULT, WORKER, Result, result_of, status_of
from pipeline.tracking.sweep import keep_records
from pipeline.tracking.sweep_job import RUNNING, SweepJob

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial


class Records:
    """Keeps a record of each trial that has ended. MLflow's run of the search, the page and the table are made of these
    records alone, so they say the same on every machine."""

    def __init__(self, study: Study, layout: Layout) -> None:
        self._study, self._layout = study, layout
        self._kept = set[int]()

    def keep(self) -> None:
        """Keep those of the trials that have ended since the last call, on other machines too."""
        for trial in self._study.trials():
            if trial.number not in self._kept and status_of(trial) != RUNNING:
                job = record_of(self._study.plan, trial, self._layout)
                keep_records(job.folder, [job])
                self._kept.add(trial.number)


def record_of(plan: Plan, trial: "FrozenTrial", layout: Layout) -> SweepJob:
    """The record of a trial, from what the study has of it."""
    job = new_record(plan, layout, trial.number, trial.user_attrs[OVERRIDES])
    job.worker = str(trial.user_attrs.get(RESULT, {}).get(WORKER, ""))
    note_result(job, result_of(trial))
    return job


@contextmanager
def finished_elsewhere(plan: Plan, claimed: Claimed, layout: Layout) -> Iterator[None]:
    """Where another worker has finished the trial meanwhile, keep its result, and end without an error."""
    try:
        yield
    except TakenError as taken:
        record_of(plan, claimed.as_kept(), layout).save()
        print(f"{taken}, which this one had, too", file=sys.stderr, flush=True)


def new_record(plan: Plan, layout: Layout, number: int, overrides: list[str]) -> SweepJob:
    """The record of a trial that has just begun."""
    params = dict(override.lstrip("+").split("=", 1) for override in overrides)
    return SweepJob(
        layout.sweep(plan.name),
        number,
        [*plan.overrides, *overrides],
        # A trial that fails early is one of this experiment too; of several, its own overrides say which.
        experiment=plan.experiment if "," not in plan.experiment else params.get("experiment", ""),
        objective=plan.settings.objectives[0],
        objectives=list(plan.settings.objectives),
        params=params,
    )


def note_result(job: SweepJob, result: Result) -> None:
    job.status, job.identity, job.error, job.log = result.status, result.identity, result.error, result.log
    job.epochs, job.started, job.seconds = result.epochs, result.started, result.seconds
    job.values, job.constraints = list(result.values), list(result.constraints)
    job.score = result.values[0] if result.values else None
