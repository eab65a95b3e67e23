"""A sweep on disk: each job has a record runs/sweeps/<name>/<number>/job.json, whichever process runs it.

MLflow's parent run and the table at the end are made from these files alone.
"""

import json
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from pipeline.errors import ArtifactError, PipelineError
from pipeline.files import write_json
from pipeline.layout import JOB
from pipeline.tasks import larger_is_better
from pipeline.tracking.columns import aligned

RUNNING, FINISHED, FAILED = "RUNNING", "FINISHED", "FAILED"


@dataclass
class SweepJob:
    """The record of one job, in the sweep's `folder`. `score` is the value of `objective`; it is None until the job has
    finished."""

    folder: Path
    number: int
    overrides: list[str]
    status: str = RUNNING
    experiment: str = ""
    identity: str = ""
    objective: str = ""
    score: float | None = None
    error: str = ""

    def save(self) -> None:
        values = {key: value for key, value in asdict(self).items() if key != "folder"}
        write_json(self.folder / str(self.number) / JOB, values)

    def run(self, work: Callable[["SweepJob"], float]) -> float:
        """Do the job's `work`, which returns its score, and keep a record of it however it ends.

        An error that is meant for the user fails this job alone. Its score is then NaN, which no search takes for a
        good one.
        """
        self.save()
        try:
            self.score = work(self)
            self.status = FINISHED
        except PipelineError as error:
            self.status, self.error = FAILED, " ".join(str(error).split())
            return math.nan
        except BaseException as error:
            self.status, self.error = FAILED, type(error).__name__
            raise
        finally:
            self.save()
        return self.score


def read_jobs(sweep: Path) -> list[SweepJob]:
    """The records of a sweep, best score first, failed jobs last."""
    jobs = []
    for path in sweep.glob(f"*/{JOB}"):
        try:
            jobs.append(SweepJob(sweep, **json.loads(path.read_text(encoding="utf-8"))))
        except (ValueError, TypeError) as error:
            raise ArtifactError(f"{path}: damaged ({error}). Remove {path.parent} and give the sweep again.") from error

    def rank(job: SweepJob) -> tuple[bool, float, int]:
        score = math.inf if job.score is None else job.score
        return job.score is None, -score if larger_is_better(job.objective) else score, job.number

    return sorted(jobs, key=rank)


def swept(jobs: list[SweepJob]) -> list[list[str]]:
    """For each job, the overrides that are not common to all jobs. A single job has all of its overrides."""
    common = set.intersection(*(set(job.overrides) for job in jobs)) if len(jobs) > 1 else set()
    return [[override for override in job.overrides if override not in common] for job in jobs]


def table(jobs: list[SweepJob]) -> str:
    """A table with aligned columns (number, overrides, score, run) and a line for each job, in the order given."""
    objective = next((job.objective for job in jobs if job.objective), "score")
    lines = [["job", "overrides", objective, "run"]]
    for job, overrides in zip(jobs, swept(jobs), strict=True):
        score = f"{job.score:.6f}" if job.score is not None else f"{job.status.lower()}: {job.error}"
        lines.append([str(job.number), " ".join(overrides), score, job.identity])
    return aligned(lines)
