"""What becomes of a search when its workers die."""

import socket
import sys

from pipeline.errors import ArtifactError, ConfigError
from pipeline.layout import JOURNAL, Layout
from pipeline.search.study import Study
from pipeline.tracking.journal import read
from pipeline.tracking.sweep import read_job, read_jobs
from pipeline.tracking.sweep_job import RUNNING, SweepJob

# Nobody can tell a worker that a trial has killed from one that somebody has killed. So this is more than the kills
# that hit one trial by chance.
MOST_DEATHS = 10
MOST_OUTSIDE = 3


class Deaths:
    """Tells of workers that die on this machine, and ends the search where they die outside of any trial, since no
    other one would do better."""

    def __init__(self, study: Study, layout: Layout) -> None:
        self._name, self._folder = study.plan.name, layout.sweep(study.plan.name)
        self._outside, self._ended = 0, 0  # deaths outside of any trial, since so many trials had ended here

    def note(self, name: str, code: int) -> None:
        """A worker has died: the one of this name in the records of trials, with this exit code."""
        jobs = read_jobs(self._folder)
        # Another worker may have taken the trial by now, and has noted there who died in it.
        had = [job.number for job in jobs if name in job.deaths or (job.status == RUNNING and job.worker == name)]
        where = f", in trial {had[0]}" if had else ""
        print(f"worker {name} has died (code {code}){where}; another takes its place", file=sys.stderr, flush=True)
        if had:
            return
        here = f"{socket.gethostname()}:"
        ended = sum(job.status != RUNNING and job.worker.startswith(here) for job in jobs)
        self._outside = self._outside + 1 if ended == self._ended else 1
        self._ended = ended
        if self._outside > MOST_OUTSIDE:
            raise ConfigError(f"sweep {self._name}: workers die outside of any trial (code {code}).")


def note_deaths(job: SweepJob, layout: Layout) -> None:
    """Note in the record of a trial that begins which workers have died in it since it last got on. A worker that has
    left it alive, since it was interrupted, has taken its name out of the record."""
    before = read_job(job.folder, job.number)
    if before is None or before.status != RUNNING:
        return
    records = read(layout.run(before.identity) / JOURNAL) if before.identity else []
    job.epochs = sum(record["type"] == "metrics" for record in records)
    earlier = before.deaths if job.epochs <= before.epochs else []
    job.deaths = [*earlier, before.worker] if before.worker else earlier


def check_deaths(job: SweepJob) -> None:
    """Raise ArtifactError for a trial that would kill this worker too."""
    if len(job.deaths) >= MOST_DEATHS:
        raise ArtifactError(f"{MOST_DEATHS} workers have died in it, one after the other without an epoch more")


def was_cut_off(study: Study, layout: Layout) -> bool:
    """Whether a trial has a worker of this machine that has died in it, or still works on it."""
    return any(job.status == RUNNING and job.worker for job in read_jobs(layout.sweep(study.plan.name)))
