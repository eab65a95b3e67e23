"""Workers that Slurm runs, through submitit; `sweep.address=local` runs the same jobs as processes of this machine.

The checkout and its environment are on a file system that the nodes share.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from pipeline import locks
from pipeline.errors import ConfigError
from pipeline.layout import LOCK, Layout
from pipeline.search.study import Study
from pipeline.sweeping import jobs
from pipeline.sweeping.order import Order
from pipeline.sweeping.processes import Place
from pipeline.sweeping.slurm_jobs import SlurmJob, jobs_in_queue
from pipeline.sweeping.telling import Teller

if TYPE_CHECKING:
    from submitit import AutoExecutor
    from submitit.helpers import DelayedSubmission

LOCAL = "local"
# The storage's address goes to the jobs in their environment: submitit writes what it submits into files.
STORAGE = "PIPELINE_SWEEP_STORAGE"
MINUTES = 240  # of a job, unless sweep.resources says another time
SUBMITTING = "submitting.lock"
REQUEUED = 1000  # so often a job that has used up its time goes on in another


def start(study: Study, layout: Layout, until: float, teller: Teller) -> None:
    settings = study.plan.settings
    folder = layout.sweep(study.plan.name) / "slurm"
    executor = new_executor(folder, settings.address, {"name": f"sweep-{study.plan.name}", **settings.resources})
    order = Order.of(study, until)
    task = Task(str(layout.root), order.sweep, order.until, order.trials)
    folder.mkdir(exist_ok=True)
    # Who has the lock ends the jobs that it finds. Beside another command that is alive, they are that one's.
    with locks.held_if_free(folder / LOCK) as alone:
        # Of two commands at once, the second one counts what the first one submits.
        with FileLock(folder / SUBMITTING):
            # of jobs of this machine, submitit does not say how they are
            earlier = [] if settings.address == LOCAL else jobs_in_queue(folder, task, to_be_ended=alone)
            missing = max(0, settings.workers - len(earlier))
            if earlier:
                print(f"jobs that go on: {len(earlier)}, submitted besides: {missing}", flush=True)
            with storage_in_environment(order.storage):
                submitted = submit_all(executor, task, missing)
        jobs.wait(study, [*earlier, *submitted], until, teller, f"logs in {folder}")


def check_address(address: str) -> None:
    if address not in ("", LOCAL):
        raise ConfigError(f"sweep.address: found '{address}', expected nothing or {LOCAL} with sweep.on=slurm.")


def new_executor(folder: Path, address: str, resources: dict[str, Any]) -> "AutoExecutor":
    from submitit import AutoExecutor

    try:
        executor = AutoExecutor(folder, cluster=address or "slurm", slurm_max_num_timeout=REQUEUED)
    except RuntimeError as error:
        raise ConfigError(f"sweep.on: no Slurm here ({error}). sweep.address=local runs the jobs here.") from error
    try:
        executor.update_parameters(**{"timeout_min": MINUTES, **resources})
    except (AssertionError, NameError, TypeError, ValueError) as error:
        reason = " ".join(str(error).split()).rstrip(".")
        raise ConfigError(f"sweep.resources: {reason}. Expected what submitit's update_parameters takes.") from error
    return executor


def submit_all(executor: "AutoExecutor", task: "Task", count: int) -> list[SlurmJob]:
    """So many jobs for a task, in the queue; where Slurm refuses one of them, or at an interrupt, none of them."""
    submitted = list[SlurmJob]()
    try:
        while len(submitted) < count:
            submitted.append(SlurmJob(submit(executor, task)))
    except BaseException:
        for job in submitted:
            job.cancel()
        raise
    if submitted:
        print(f"jobs submitted: {', '.join(str(one.job.job_id) for one in submitted)}", flush=True)
    return submitted


def submit(executor: "AutoExecutor", task: "Task") -> Any:
    """The job, in the queue. Raises ConfigError where Slurm refuses it."""
    from submitit.core.utils import FailedJobError, FailedSubmissionError

    try:
        return executor.submit(task)
    except (FailedJobError, FailedSubmissionError) as error:
        reason = " ".join(str(error).split())[-300:].rstrip(".")
        raise ConfigError(f"sweep.on: Slurm does not take the job ({reason}). Look at sweep.resources.") from error


@contextmanager
def storage_in_environment(address: str) -> Iterator[None]:
    before = os.environ.get(STORAGE)
    os.environ[STORAGE] = address
    try:
        yield
    finally:
        if before is None:
            del os.environ[STORAGE]
        else:
            os.environ[STORAGE] = before


@dataclass
class Task:
    """What one job does: it starts a worker and waits for it. submitit keeps it in a file and calls it in the job."""

    root: str
    sweep: str
    until: float
    trials: int
    place: Place | None = field(default=None, compare=False)

    def __call__(self) -> int:
        if STORAGE not in os.environ:
            raise ConfigError(f"{STORAGE} is not set. Slurm must pass the environment on to its jobs (--export=ALL).")
        order = Order(self.sweep, os.environ[STORAGE], self.until, self.trials)
        self.place = Place(order, Layout(Path(self.root)), {})
        try:
            return self.place.work()
        finally:
            self.stop()

    def checkpoint(self) -> "DelayedSubmission":
        """submitit calls this when the job's time is over or Slurm needs its place, and then puts it into the queue
        again. The worker saves a checkpoint, from which any worker goes on."""
        from submitit.helpers import DelayedSubmission

        self.stop()
        return DelayedSubmission(Task(self.root, self.sweep, self.until, self.trials))

    def stop(self) -> None:
        """Let the worker save a checkpoint and end."""
        if self.place is not None:
            self.place.stop()
