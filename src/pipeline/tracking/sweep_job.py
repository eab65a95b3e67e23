"""The record of a sweep's job: what it trains, what came of it, and how it ended."""

import math
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from pipeline.errors import PipelineError
from pipeline.files import write_json, write_text
from pipeline.layout import JOB
from pipeline.tasks import larger_is_better

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


def swept(jobs: list[SweepJob]) -> list[list[str]]:
    """For each job, the overrides that are not common to all jobs. A single job has all of its overrides."""
    common = set.intersection(*(set(job.overrides) for job in jobs)) if len(jobs) > 1 else set()
    return [[override for override in job.overrides if override not in common] for job in jobs]
