"""What Ray and Slurm have in common: they run jobs, each of which starts one worker where it runs."""

import math
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from pipeline.errors import ConfigError
from pipeline.search.study import Study
from pipeline.search.trial import status_of
from pipeline.sweeping.telling import Teller
from pipeline.tracking.sweep import read_jobs

POLL_SECONDS = 0.5
# Within so long, workers see that the search is done, and end. What is in the queue then is not needed.
GRACE_SECONDS = 5.0
# After so long without a trial, a person is told that the jobs wait for their turn.
QUEUE_SECONDS = 60.0


class Job(Protocol):
    def ended(self) -> bool:
        """Whether it runs no more, or never will."""

    def trouble(self) -> str:
        """Of a job that has ended: why it failed, in one line; empty where it did not."""

    def cancel(self) -> None:
        """Take it from the queue, or let its worker save a checkpoint and end."""


def wait(study: Study, jobs: Sequence[Job], until: float, teller: Teller, logs: str) -> None:
    """Tell how the search goes on until it is done or no job is left. What is left then is cancelled, also where this
    command is interrupted. `logs` says where the workers' output is. Raises ConfigError where all ended too soon."""
    told, in_queue = dict[int, str](), _Queue(study, teller.folder)
    try:
        while not study.done and not all(job.ended() for job in jobs):
            time.sleep(POLL_SECONDS)
            teller.tell()
            in_queue.tell()
            for number, job in enumerate(jobs):
                if number not in told and job.ended():
                    told[number] = job.trouble()
                    if told[number]:
                        print(f"worker {number} has ended: {told[number]}", file=sys.stderr, flush=True)
        deadline = time.monotonic() + GRACE_SECONDS
        while not all(job.ended() for job in jobs) and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
    finally:
        for job in jobs:
            if not job.ended():
                job.cancel()
    if study.done:
        return
    reason = next(filter(None, (job.trouble() for job in jobs)), "")
    # Workers end by themselves when the time is over. Where none has trouble, their clocks are ahead of this one.
    if not until or (reason and time.time() < until):
        reason = reason or "none says why"
        raise ConfigError(
            f"sweep {study.plan.name}: all workers have ended ({reason}; {logs}). Give the same command to go on."
        )


class _Queue:
    """Says once, after a while, that no worker has begun a trial yet."""

    def __init__(self, study: Study, folder: Path) -> None:
        self._study, self._folder = study, folder
        self._begun, self._before = time.time(), self._trials()
        self._deadline = time.monotonic() + QUEUE_SECONDS

    def _trials(self) -> set[tuple[int, str]]:
        return {(trial.number, status_of(trial)) for trial in self._study.trials()}

    def tell(self) -> None:
        if time.monotonic() < self._deadline:
            return
        self._deadline = math.inf
        # Who takes up a trial that was left alive changes its record alone.
        taken_up = any(job.started >= self._begun for job in read_jobs(self._folder))
        if self._trials() == self._before and not taken_up:
            told = f"no worker has begun within {QUEUE_SECONDS:g} s: the jobs wait until there is room for them"
            print(f"{told}, or for what nobody has (sweep.resources)", file=sys.stderr, flush=True)
