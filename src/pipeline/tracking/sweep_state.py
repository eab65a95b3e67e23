"""How a sweep stands: what is told of it to MLflow, and whether MLflow knows better."""

from dataclasses import replace
from pathlib import Path

from mlflow.entities import Run

from pipeline import locks
from pipeline.files import digest_file, digest_value
from pipeline.layout import LOCK, PAGE
from pipeline.tracking.journal import KILLED
from pipeline.tracking.sweep import read_sweep
from pipeline.tracking.sweep_job import FAILED, FINISHED, PRUNED, RUNNING, SweepJob


def status_of(folder: Path, jobs: list[SweepJob]) -> str:
    """How the sweep has ended. A grid in which a job has failed has failed; a search goes on with other values, and has
    failed only where nothing else came of it."""
    if locks.held(folder / LOCK):
        return RUNNING
    statuses, sweep = {job.status for job in jobs}, read_sweep(folder)
    # Between two trials, too, a command may have been interrupted.
    if RUNNING in statuses or sweep.ended is False:
        return KILLED
    failed = statuses == {FAILED} if sweep.space else FAILED in statuses
    return FAILED if failed else FINISHED


def is_outdone(run: Run, jobs: list[SweepJob], ended: str) -> bool:
    """Whether a sweep that was killed here has gone on elsewhere: the store knows how more jobs ended, or that it has
    finished with as many."""
    told = sum(run.data.metrics.get(status.lower(), 0) for status in (FINISHED, PRUNED, FAILED))
    here = sum(job.status != RUNNING for job in jobs)
    return ended == KILLED and (here < told or (here == told and run.info.status == FINISHED))


def jobs_version(folder: Path, jobs: list[SweepJob]) -> str:
    """The value that the store notes when it has these jobs of a sweep, and its page, completely."""
    page = page_version(folder)
    values = [[job.number, job.identity, job.status] for job in jobs]
    return digest_value([values, page] if page else values)[:12]


def page_version(folder: Path) -> str:
    return digest_file(folder / PAGE)[:12] if (folder / PAGE).is_file() else ""


def place_of(folder: Path, jobs: list[SweepJob]) -> str:
    """The MLflow experiment of the sweep's run. What is chosen is noted in sweep.json, so that it stays the same."""
    sweep = read_sweep(folder)
    if not sweep.experiment:
        sweep = replace(sweep, experiment=min(jobs, key=lambda job: job.number).experiment)
        sweep.save(folder)
    return sweep.experiment
