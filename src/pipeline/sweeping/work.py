"""What a worker of a search does: it takes a trial, trains it, and goes on until the search has all its trials."""

import logging
import os
import time
from collections.abc import Callable

from pipeline import locks
from pipeline.layout import LOCK, Layout
from pipeline.search.study import Study
from pipeline.search.trial import status_of
from pipeline.sweeping.bases import check_checkout
from pipeline.sweeping.order import Order
from pipeline.sweeping.records import Records
from pipeline.sweeping.state import State
from pipeline.sweeping.trial import run_trial
from pipeline.tracking.kept_models import remove_models
from pipeline.tracking.ranking import ranked
from pipeline.tracking.sweep import read_job
from pipeline.tracking.sweep_job import RUNNING, SweepJob

# How long a worker waits when other workers have all the trials that there are by now.
WAIT_SECONDS = 0.2


def take_part(order: Order, layout: Layout) -> None:
    """Work on a search that a command has begun, maybe on another machine. Raises ConfigError where the checkout there
    is in another state."""
    study = Study.open(order.storage, order.sweep, layout).of_trials(order.trials)
    check_checkout(study.plan, layout)
    # So the sweep counts as running on this machine also where its command is elsewhere, or has been killed.
    with locks.held_when_free(layout.sweep(order.sweep) / LOCK):
        work(study, layout, order.until, Records(study, layout).keep)


def work(study: Study, layout: Layout, until: float, look: Callable[[], None], alone: bool = False) -> None:
    """Work on a search until it is done, or until the time `until` (in seconds since 1970; 0 is never), after which no
    further trial begins. `look` is called before each trial, while there is none, and at the end. `alone` is the only
    worker, in the process of the command."""
    quiet(alone)
    state, ended = State(layout, study.plan), EndedJobs(study, layout)
    while True:
        look()
        if study.done or (until and time.time() >= until):
            return
        claimed = study.claim()
        if claimed is None:
            time.sleep(WAIT_SECONDS)
            continue
        with claimed:
            run_trial(study.plan, claimed, layout, state)
        drop_models(study, layout, ended.read())


class EndedJobs:
    """Reads the records of trials that have ended, each once, since nobody changes them any more."""

    def __init__(self, study: Study, layout: Layout) -> None:
        self._study, self._folder = study, layout.sweep(study.plan.name)
        self._jobs: dict[int, SweepJob] = {}

    def read(self) -> list[SweepJob]:
        """All of those that have ended by now and have a record on this machine, best first."""
        for trial in self._study.trials():
            if trial.number not in self._jobs and status_of(trial) != RUNNING:
                job = read_job(self._folder, trial.number)
                if job is not None and job.status != RUNNING:
                    self._jobs[job.number] = job
        return ranked(self._jobs.values())


def drop_models(study: Study, layout: Layout, jobs: list[SweepJob]) -> None:
    """Remove the models of trials that are not among the best. `jobs` are all that have ended, best first."""
    remove_models(layout, study.plan.name, counted(study, jobs), study.plan.settings.keep)


def counted(study: Study, jobs: list[SweepJob]) -> list[SweepJob]:
    """The trials that count. In mode `ordered`, a search that is given up has perhaps begun some beyond its end, by
    more than one worker."""
    progress = study.progress()
    return [job for job in jobs if not (study.ordered and progress.given_up and job.number >= progress.told)]


def quiet(alone: bool) -> None:
    """Leave the terminal to the lines of the search. A worker that is alone shows how its trial goes; bars of several
    would write over each other."""
    from pipeline.training import progress

    if alone:
        progress.pass_by()
    else:
        progress.hide()
    # Each training has a model of its own, which TensorFlow would call tracing the same function again and again.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
