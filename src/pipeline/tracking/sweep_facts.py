"""What MLflow is told of a sweep: how its scores came about, what was swept, and which job is best."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from mlflow.entities import Metric, Param

from pipeline.layout import JOB, TOTAL
from pipeline.tracking import names
from pipeline.tracking.sweep import Sweep
from pipeline.tracking.sweep_job import FAILED, FINISHED, PRUNED, RUNNING, SweepJob, swept
from pipeline.tracking.sweep_summary import best, command, counts, goals_of


class Point(NamedTuple):
    """One value of a metric of the sweep's run. The steps are the numbers of jobs; the time is in milliseconds."""

    key: str
    value: float
    time: int
    step: int

    def metric(self) -> Metric:
        return Metric(*self)


def points_of(folder: Path, jobs: list[SweepJob], ended: bool) -> Iterator[Point]:
    """After each job, by number: the best score of each objective so far, and how many jobs have finished, were pruned
    and have failed; then what the sweep as a whole has measured (scores.json).

    While the sweep goes on, a job that is at work holds back the later ones, so that no point has to be corrected.
    """
    lowest, number, time = dict[str, tuple[float, float]](), Counter[str](), 0
    for expected, job in enumerate(sorted(jobs, key=lambda job: job.number)):
        if not ended and (job.status == RUNNING or job.number != expected):
            return
        if job.status == RUNNING:
            continue  # it was killed, and may go on
        time = max(time, milliseconds(folder, job))
        number[job.status] += 1
        if job.status == FINISHED and not job.violation:
            for goal, loss, score in zip(job.goals, job.losses, job.scores, strict=True):
                lowest[goal] = min(lowest.get(goal, (loss, score)), (loss, score))
        yield from (Point(f"best_{goal}", score, time, job.number) for goal, (_, score) in lowest.items())
        yield from (Point(status.lower(), number[status], time, job.number) for status in (FINISHED, PRUNED, FAILED))
    if (folder / TOTAL).is_file():
        total: dict[str, float] = json.loads((folder / TOTAL).read_text(encoding="utf-8"))
        yield from (Point(key, value, time, 0) for key, value in total.items())


def milliseconds(folder: Path, job: SweepJob) -> int:
    """When the job has ended. Records of an earlier version do not say so, and their files do."""
    return round(1000 * job.ended) or (folder / str(job.number) / JOB).stat().st_mtime_ns // 1_000_000


def params_of(sweep: Sweep, jobs: list[SweepJob], ended: bool) -> list[Param]:
    """The swept keys with what is searched; of a grid, at its end, with their values."""
    values: dict[str, str] = dict(sweep.space)
    if not values and ended:
        found: dict[str, list[str]] = {}
        for overrides in swept(jobs):
            for override in overrides:
                found.setdefault(names.swept_key(override), []).append(override.partition("=")[2] or "removed")
        values = {key: " ".join(dict.fromkeys(texts)) for key, texts in found.items()}
    return [Param(names.key(key), names.cut(value, names.PARAM_LENGTH)) for key, value in values.items()]


def tags_of_sweep(sweep: Sweep, jobs: list[SweepJob]) -> dict[str, str]:
    """`jobs` are sorted, best first. The tags say how the sweep goes now, whichever jobs are still at work."""
    found = best(jobs)
    first = found.get(goals_of(jobs)[0])
    tags = {
        "pipeline.jobs": str(len(jobs)),
        "pipeline.progress": counts(jobs),
        "pipeline.best": first.identity if first else "none",
    }
    if sweep.command:
        tags["pipeline.command"] = sweep.command
    if first:
        tags["pipeline.best_command"] = command(first)
    return tags
