"""Deliver what MLflow lacks, which is what `register` does for whatever no training has delivered itself."""

from pathlib import Path

from pipeline import locks
from pipeline.errors import ArtifactError, PipelineError, RefusedError
from pipeline.layout import JOB, JOURNAL, LOCK
from pipeline.tracking.delivered import has_finished_elsewhere, is_wanted, journal_version, was_delivered
from pipeline.tracking.journal import KILLED, read, status
from pipeline.tracking.runs import known_runs
from pipeline.tracking.store import Store
from pipeline.tracking.sweep import read_jobs
from pipeline.tracking.sweep_state import is_outdone, jobs_version, place_of, status_of
from pipeline.tracking.sweep_sync import sync_sweep
from pipeline.tracking.sync import sync


def sync_all(store: Store) -> tuple[int, list[PipelineError]]:
    """Deliver every ended journal under runs/ that the store does not have completely. Returns how many were delivered,
    and the errors of those that were not. A run that a user has deleted in MLflow stays deleted, even after
    `mlflow gc`."""
    journals: dict[str, dict[str, tuple[str, str]]] = {}  # by experiment and identity: its version, and how it ended
    for path in sorted(store.layout.runs.glob(f"*/{JOURNAL}")):
        records = read(path)
        start = next((record for record in records if record["type"] == "start"), None)
        if start is not None and not locks.held(path.parent / LOCK):
            about = journal_version(records), status(records) or KILLED
            journals.setdefault(start["experiment"], {})[path.parent.name] = about
    delivered, errors = 0, list[PipelineError]()
    for experiment, found in journals.items():
        try:
            with store.guard():
                known = known_runs(store, experiment)
        except RefusedError as error:
            errors.append(error)
            continue
        for identity, (whole, ended) in found.items():
            folder, run = store.layout.run(identity), (known or {}).get(identity)
            if not is_wanted(store, known, identity, whole, folder) or (run and has_finished_elsewhere(run, ended)):
                continue
            try:
                sync(store, folder)
                delivered += 1
            except (ArtifactError, RefusedError) as error:
                errors.append(error)
    return delivered, errors


def sync_sweeps(store: Store) -> tuple[int, list[PipelineError]]:
    """Deliver every sweep that has ended and that the store does not have completely. Returns how many were delivered,
    and the errors of those that were not."""
    delivered, errors = 0, list[PipelineError]()
    for folder in sorted({path.parent.parent for path in store.layout.sweeps.glob(f"*/*/{JOB}")}):
        if locks.held(folder / LOCK):
            continue
        try:
            if _lacks(store, folder):
                sync_sweep(store, folder.name)
                delivered += 1
        except (ArtifactError, RefusedError) as error:
            errors.append(error)
    return delivered, errors


def _lacks(store: Store, folder: Path) -> bool:
    """Whether the store does not have the sweep completely."""
    jobs = [job for job in read_jobs(folder) if job.experiment]
    if not jobs:
        return False
    identity = f"sweep-{folder.name}"
    with store.guard():
        known = known_runs(store, place_of(folder, jobs))
        run = (known or {}).get(identity)
        if run and is_outdone(run, jobs, status_of(folder, jobs)) and was_delivered(store, folder):
            return False
        return is_wanted(store, known, identity, jobs_version(folder, jobs), folder)
