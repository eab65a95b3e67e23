"""A sweep on disk: each job has a record runs/sweeps/<name>/<number>/job.json, whichever process runs it.

MLflow's parent run, the page and the table at the end are made from these files alone.
"""

import json
import math
import shlex
import sys
import time
import traceback
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from pipeline.errors import ArtifactError, PipelineError
from pipeline.files import write_json, write_text
from pipeline.layout import JOB, SWEEP
from pipeline.tasks import larger_is_better
from pipeline.tracking.settings import hide_password

RUNNING, FINISHED, PRUNED, FAILED = "RUNNING", "FINISHED", "PRUNED", "FAILED"
TRACEBACK = "traceback.txt"


@dataclass
class SweepJob:
    """The record of one job, in the sweep's `folder`.

    `score` is the value of `objective`; it is None until the job has finished, and of a pruned job it is the last one.
    A search for several `objectives` has a value of each in `values`, the first of which is the score. `constraints`
    are met where they are 0 or less. `params` are the swept keys with their values. `log` is the file of a traceback,
    below `folder`. `started` is in seconds since 1970. `worker` is who works on it or has ended it; `deaths` are the
    workers that died in it, one after the other, since it had these `epochs`.
    """

    folder: Path
    number: int
    overrides: list[str]
    status: str = RUNNING
    experiment: str = ""
    identity: str = ""
    objective: str = ""
    score: float | None = None
    error: str = ""
    objectives: list[str] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    constraints: list[float] = field(default_factory=list)
    params: dict[str, str] = field(default_factory=dict)
    epochs: int = 0
    started: float = 0.0
    seconds: float = 0.0
    log: str = ""
    worker: str = ""
    deaths: list[str] = field(default_factory=list)

    @property
    def goals(self) -> list[str]:
        """The names of what is to be made small or large."""
        return self.objectives or [self.objective]

    @property
    def scores(self) -> list[float]:
        """A value for each of the goals; none where the job has none yet."""
        return self.values or ([] if self.score is None else [self.score])

    @property
    def losses(self) -> list[float]:
        """The scores with such signs that smaller is better."""
        return [
            -score if larger_is_better(goal) else score for goal, score in zip(self.goals, self.scores, strict=True)
        ]

    @property
    def violation(self) -> float:
        """By how much the constraints are missed in all; 0 where they are met."""
        return sum(max(0.0, value) for value in self.constraints)

    @property
    def ended(self) -> float:
        return self.started + self.seconds

    def save(self) -> None:
        values = {key: value for key, value in asdict(self).items() if key != "folder"}
        write_json(self.folder / str(self.number) / JOB, values)

    def run(self, work: Callable[["SweepJob"], float]) -> float:
        """Do the job's `work`, which returns its score, and keep a record of it however it ends.

        An error that is meant for the user fails this job alone. Its score is then NaN, which no search takes for a
        good one.
        """
        self.started = time.time()
        self.save()
        try:
            self.score = work(self)
            self.status = FINISHED
        except PipelineError as error:
            self.fail(error)
            return math.nan
        except BaseException as error:
            self.fail(error)
            raise
        finally:
            self.seconds = time.time() - self.started
            self.save()
        return self.score

    def fail(self, error: BaseException) -> None:
        """Note why the job has failed, keep the traceback, and say at once what fails with which values. Who interrupts
        the command knows why, and is told nothing."""
        self.status = FAILED
        if not isinstance(error, Exception):
            self.error = type(error).__name__
            return
        known = isinstance(error, PipelineError)
        self.error = (
            " ".join(str(error).split()) if known else f"{type(error).__name__}: {' '.join(str(error).split())}"
        )
        self.log = f"{self.number}/{TRACEBACK}"
        write_text(self.folder / self.log, "".join(traceback.format_exception(error)))
        print(f"job {self.number} failed: {self.error}", file=sys.stderr)
        print(f"  with {' '.join(self.overrides)}; traceback in {self.folder / self.log}", file=sys.stderr, flush=True)


@dataclass(frozen=True)
class Sweep:
    """What a sweep is, beside its jobs: the content of sweep.json in its folder. All of it may be unknown.

    MLflow shows the sweep's run in `experiment`. `space` holds what is searched, as the user writes it. `ended` says
    whether its last command has come to its end; None where nobody noted that, as with a grid. `study` is the token of
    the study that the records are of.
    """

    command: str = ""
    experiment: str = ""
    space: dict[str, str] = field(default_factory=dict)
    ended: bool | None = None
    study: str = ""

    def save(self, folder: Path) -> None:
        write_json(folder / SWEEP, asdict(self))


def command_given() -> str:
    """The command that this process runs, to be given again. It has no password in it, and not what we add to it."""
    words = [hide_password(word) for word in sys.argv[1:] if not word.startswith("hydra.sweep.dir=")]
    return shlex.join(["python", "-m", f"pipeline.{Path(sys.argv[0]).stem}", *words])


def read_sweep(folder: Path) -> Sweep:
    path = folder / SWEEP
    if not path.is_file():
        return Sweep()
    try:
        return Sweep(**json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise ArtifactError(f"{path}: damaged ({error}). Remove it; MLflow then shows no command.") from error


def read_jobs(folder: Path) -> list[SweepJob]:
    """The records in a sweep's folder in the order of `ranked`, best first."""
    return ranked(_read_job(folder, path) for path in folder.glob(f"*/{JOB}"))


def note_ended(folder: Path, ended: bool) -> None:
    replace(read_sweep(folder), ended=ended).save(folder)


def read_job(folder: Path, number: int) -> SweepJob | None:
    """The record of one job, or None where it has none."""
    path = folder / str(number) / JOB
    return _read_job(folder, path) if path.is_file() else None


def _read_job(folder: Path, path: Path) -> SweepJob:
    try:
        return SweepJob(folder, **json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise ArtifactError(f"{path}: damaged ({error}). Remove {path.parent} and give the sweep again.") from error


def keep_records(folder: Path, jobs: Iterable[SweepJob]) -> None:
    """Keep records of jobs that ran on other machines in this machine's folder of the sweep. A record that says how its
    job has ended stays as it is."""
    for job in jobs:
        known = read_job(folder, job.number)
        if known is None or (known.status == RUNNING and job.status != RUNNING):
            SweepJob(**{**vars(job), "folder": folder}).save()


def ranked(jobs: Iterable[SweepJob]) -> list[SweepJob]:
    """Best score first; of several objectives the Pareto front first. Then come those that miss a constraint, those
    that were pruned or have not ended, and failed jobs last."""
    jobs = list(jobs)
    in_front = {job.number for job in front(jobs)}
    order = {FINISHED: 0, PRUNED: 1, RUNNING: 2, FAILED: 4}

    def rank(job: SweepJob) -> tuple[int, float, bool, float, int]:
        place = 3 if job.status == FINISHED and not job.scores else order[job.status]
        loss = job.losses[0] if job.scores else math.inf
        return place, job.violation, job.number not in in_front, loss, job.number

    return sorted(jobs, key=rank)


def front(jobs: Iterable[SweepJob]) -> list[SweepJob]:
    """The finished jobs that meet all constraints and that no other such job beats, which is: is as good in all
    objectives and better in one. With one objective these are the best job and its equals."""
    candidates = [job for job in jobs if job.status == FINISHED and job.scores and not job.violation]
    found = list[SweepJob]()
    # In this order a job can be beaten only by one that comes before it.
    for job in sorted(candidates, key=lambda job: (job.losses, job.number)):
        if not any(beats(other.losses, job.losses) for other in found):
            found.append(job)
    return found


def beats(losses: list[float], others: list[float]) -> bool:
    """Whether the first losses are as small as the others everywhere, and smaller in one place."""
    return losses != others and all(own <= other for own, other in zip(losses, others, strict=True))


def swept(jobs: list[SweepJob]) -> list[list[str]]:
    """For each job, the overrides that are not common to all jobs. A single job has all of its overrides."""
    common = set.intersection(*(set(job.overrides) for job in jobs)) if len(jobs) > 1 else set()
    return [[override for override in job.overrides if override not in common] for job in jobs]
