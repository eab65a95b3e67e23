"""What a sweep prints at its end: a sorted table, the best job's command, what failed, and how long it took."""

import shlex
from collections import Counter

from pipeline.tracking.columns import aligned
from pipeline.tracking.ranking import front
from pipeline.tracking.sweep_job import FAILED, FINISHED, PRUNED, RUNNING, SweepJob, swept

MOST_ROWS = 50
LONGEST_REASON = 80  # in the table; the whole reason was told when the job failed, and stands in its record
IN_FRONT = "*"


def summary(jobs: list[SweepJob]) -> str:
    """The lines at the end of a sweep. `jobs` are sorted (`ranked`), best first."""
    lines = [table(jobs[:MOST_ROWS])]
    if len(jobs) > MOST_ROWS:
        lines.append(f"and {len(jobs) - MOST_ROWS} more, further behind")
    if several(jobs):
        lines.append(f"{IN_FRONT} on the Pareto front: no other job is as good in all objectives and better in one")
    lines += [f"best{f' {goal}' if several(jobs) else ''}: {command(job)}" for goal, job in best(jobs).items()]
    lines.append(counts(jobs))
    if (seconds := busy_seconds(jobs)) > 0:
        ended = sum(job.status != RUNNING for job in jobs)
        lines.append(f"time: {duration(seconds)}, {60 * ended / seconds:.3g} jobs a minute")
    return "\n".join(lines)


def table(jobs: list[SweepJob]) -> str:
    """A table with aligned columns (number, overrides, scores, run) and a line for each job, in the order given."""
    goals = goals_of(jobs)
    shown = front(jobs) if several(jobs) else []
    lines = [["job", "overrides", *goals, "run"]]
    for job, overrides in zip(jobs, swept(jobs), strict=True):
        number = f"{job.number} {IN_FRONT}" if job in shown else str(job.number)
        scores = score_cells(job, len(goals))
        lines.append([number, " ".join(overrides), *scores, job.identity])
    return aligned(lines)


def shorten(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 3]}..."


def score_cells(job: SweepJob, width: int) -> list[str]:
    """A job's scores, or in the first of so many cells why it has none."""
    scores = [f"{score:.6f}" for score in job.scores]
    if job.status == FINISHED and scores:
        return [f"{scores[0]} (misses a constraint)", *scores[1:]] if job.violation else scores
    told = f"{job.status.lower()}: {shorten(job.error, LONGEST_REASON)}" if job.error else job.status.lower()
    if job.status == PRUNED:
        told = f"pruned after epoch {job.epochs}: {scores[0] if scores else 'no score'}"
    return [told, *[""] * (width - 1)]


def goals_of(jobs: list[SweepJob]) -> list[str]:
    return next((job.goals for job in jobs if job.goals != [""]), ["score"])


def several(jobs: list[SweepJob]) -> bool:
    """Whether there are several objectives."""
    return len(goals_of(jobs)) > 1


def best(jobs: list[SweepJob]) -> dict[str, SweepJob]:
    """For each objective, the best of the jobs that finished and meet the constraints."""
    candidates = front(jobs)
    return {
        goal: min(candidates, key=lambda job: (job.losses[i], job.number))
        for i, goal in enumerate(goals_of(jobs))
        if candidates
    }


def command(job: SweepJob) -> str:
    """The command that trains what this job has trained."""
    return shlex.join(["python", "-m", "pipeline.train", *job.overrides])


def counts(jobs: list[SweepJob]) -> str:
    """How many jobs there are, how they ended, and the reason of the first that failed."""
    number = Counter(job.status for job in jobs)
    told = [f"{number[status]} {status.lower()}" for status in (FINISHED, PRUNED, FAILED, RUNNING) if number[status]]
    line = f"{len(jobs)} jobs: {', '.join(told)}"
    failed = min((job for job in jobs if job.status == FAILED), key=lambda job: job.number, default=None)
    return f"{line}; first {failed.number}: {failed.error}" if failed else line


def busy_seconds(jobs: list[SweepJob]) -> float:
    """The time in which at least one job was at work, which leaves out the nights in which a sweep was interrupted."""
    total, until = 0.0, 0.0
    for job in sorted(jobs, key=lambda job: job.started):
        if job.started:
            total += max(0.0, job.ended - max(job.started, until))
            until = max(until, job.ended)
    return total


def duration(seconds: float) -> str:
    """12.3 s, 2 min 5 s, 3 h 7 min."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
