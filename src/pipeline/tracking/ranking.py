"""Which jobs of a sweep are better than others."""

import math
from collections.abc import Iterable

from pipeline.tracking.sweep_job import FAILED, FINISHED, PRUNED, RUNNING, SweepJob


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
