"""What becomes of a search when its workers die."""

import sys
from collections import Counter

from pipeline.errors import ConfigError
from pipeline.layout import JOURNAL, Layout
from pipeline.search.study import Study
from pipeline.search.trial import Result
from pipeline.tracking.journal import read
from pipeline.tracking.sweep import FAILED, RUNNING, SweepJob, read_jobs

MOST_DEATHS = 3


class Deaths:
    """Decides what to do about workers that die. A trial in which MOST_DEATHS have died, one after the other and
    without an epoch more, has failed: it would take all workers with it, again and again."""

    def __init__(self, study: Study, layout: Layout) -> None:
        self._study, self._layout = study, layout
        self._count: Counter[int] = Counter()  # by trial, since it last got on
        self._epochs: dict[int, int] = {}
        self._outside, self._ended = 0, 0  # deaths outside of any trial, since so many trials had ended

    def note(self, number: int, name: str, code: int) -> None:
        """A worker has died: the one of this number, by the name that records have, with this exit code."""
        jobs = read_jobs(self._layout.sweep(self._study.plan.name))
        had = [job for job in jobs if job.status == RUNNING and job.worker == name]
        where = f", in trial {had[0].number}" if had else ""
        print(f"worker {number} has died (code {code}){where}; another takes its place", file=sys.stderr)
        if had:
            self._in_trial(had[0], code)
            return
        ended = sum(job.status != RUNNING for job in jobs)
        self._outside = self._outside + 1 if ended == self._ended else 1
        self._ended = ended
        if self._outside > MOST_DEATHS:
            raise ConfigError(f"sweep {self._study.plan.name}: workers die outside of any trial (code {code}).")

    def _in_trial(self, job: SweepJob, code: int) -> None:
        number = job.number
        records = read(self._layout.run(job.identity) / JOURNAL) if job.identity else []
        epochs = sum(record["type"] == "metrics" for record in records)
        self._count[number] = self._count[number] + 1 if self._epochs.get(number) == epochs else 1
        self._epochs[number] = epochs
        if self._count[number] >= MOST_DEATHS and (claimed := self._study.claim_trial(number)) is not None:
            with claimed:
                job.status = FAILED
                job.error = f"{MOST_DEATHS} workers have died in it, the last with code {code}"
                job.save()
                claimed.finish(Result(FAILED, identity=job.identity, error=job.error))
            print(f"job {number} failed: {job.error}", file=sys.stderr, flush=True)
