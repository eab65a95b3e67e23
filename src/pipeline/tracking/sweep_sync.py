"""Carry sweeps to MLflow: one parent run for each sweep and experiment, with its jobs' runs below it."""

import json
from pathlib import Path

from mlflow.entities import Metric, Param
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID, MLFLOW_RUN_NAME

from pipeline import locks
from pipeline.errors import ArtifactError, PipelineError, RefusedError
from pipeline.files import digest_value
from pipeline.layout import JOB, JOURNAL, LOCK, TOTAL
from pipeline.tracking import names
from pipeline.tracking.journal import read
from pipeline.tracking.store import Store
from pipeline.tracking.sweep import FAILED, FINISHED, SweepJob, read_jobs, swept
from pipeline.tracking.sync import (
    IDENTITY_TAG,
    RUNNING,
    SYNCED_TAG,
    find_run,
    is_wanted,
    known_runs,
    note_delivery,
    sync,
    tags_of,
)

KILLED = "KILLED"


def parent_run(store: Store, name: str, experiment: str) -> str:
    """The id of the sweep's run in an MLflow experiment. The run is created where it is missing."""
    identity = f"sweep-{name}"
    with locks.hold(store.layout.sweep(name) / "sync.lock", f"the sync of {identity}", store.gives_way):
        found = find_run(store, experiment, identity)
        if found is None:
            place = store.experiment(experiment).experiment_id
            found = store.client.create_run(place, tags={IDENTITY_TAG: identity, MLFLOW_RUN_NAME: identity})
        return str(found.info.run_id)


def adopt(store: Store, name: str, experiment: str, run_id: str) -> None:
    """Put a run below its sweep's run. A run that an earlier sweep has trained moves to the latest sweep."""
    with store.guard():
        store.client.set_tag(run_id, MLFLOW_PARENT_RUN_ID, parent_run(store, name, experiment))


def sync_sweep(store: Store, name: str) -> int:
    """Deliver a whole sweep, its jobs' runs and the runs above them, and return the number of jobs. A repeated call
    adds nothing twice."""
    folder = store.layout.sweep(name)
    jobs = [job for job in read_jobs(folder) if job.experiment]
    for experiment in sorted({job.experiment for job in jobs}):
        own = [job for job in jobs if job.experiment == experiment]
        for job in own:
            if read(store.layout.run(job.identity) / JOURNAL):
                adopt(store, name, experiment, sync(store, store.layout.run(job.identity)))
        with store.guard():
            _describe(store, folder, parent_run(store, name, experiment), own)
    with store.guard():
        note_delivery(store, folder)
    return len(jobs)


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
    for experiment in {job.experiment for job in jobs}:
        with store.guard():
            known = known_runs(store, experiment)
            own = jobs_version([job for job in jobs if job.experiment == experiment])
            if is_wanted(store, known, f"sweep-{folder.name}", own, folder):
                return True
    return False


def jobs_version(jobs: list[SweepJob]) -> str:
    """The value that the store notes when it has these jobs of a sweep completely."""
    return digest_value([[job.number, job.identity, job.status] for job in jobs])[:12]


def _describe(store: Store, folder: Path, run_id: str, jobs: list[SweepJob]) -> None:
    """Note at the sweep's run which values were swept, what the best score is and which job has it, and how the sweep
    ended. `jobs` is sorted, best first."""
    run = store.client.get_run(run_id)
    values: dict[str, list[str]] = {}
    for overrides in swept(jobs):
        for override in overrides:
            value = override.partition("=")[2] or "removed"
            values.setdefault(names.swept_key(override), []).append(value)
    params = {key: names.cut(" ".join(dict.fromkeys(found)), names.PARAM_LENGTH) for key, found in values.items()}
    missing = [Param(key, value) for key, value in params.items() if key not in run.data.params]
    best, path = jobs[0], folder / str(jobs[0].number) / JOB
    time = path.stat().st_mtime_ns // 1_000_000
    metrics = [] if best.score is None else [Metric(f"best_{best.objective}", best.score, time, 0)]
    if (folder / TOTAL).is_file():
        total: dict[str, float] = json.loads((folder / TOTAL).read_text(encoding="utf-8"))
        metrics += [Metric(key, value, time, 0) for key, value in total.items()]
    ended = _status(folder, jobs)
    tags = {"pipeline.jobs": str(len(jobs)), "pipeline.best": best.identity if best.score is not None else "none"}
    if ended == RUNNING:
        store.client.update_run(run_id, RUNNING)
    else:
        store.client.set_terminated(run_id, ended, time)
        tags[SYNCED_TAG] = jobs_version(jobs)
    store.client.log_batch(run_id, metrics, missing, tags_of(tags))


def _status(folder: Path, jobs: list[SweepJob]) -> str:
    if locks.held(folder / LOCK):
        return RUNNING
    statuses = {job.status for job in jobs}
    return KILLED if "RUNNING" in statuses else FAILED if FAILED in statuses else FINISHED
