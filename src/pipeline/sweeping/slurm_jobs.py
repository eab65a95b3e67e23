"""The jobs of a search that Slurm has, as submitit shows them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

# By the words of sacct. What it does not know does not count, since nobody could tell when that ends.
IN_QUEUE = ("PENDING", "REQUEUED", "RESIZING", "RUNNING", "SUSPENDED")


@dataclass
class SlurmJob:
    """`to_be_ended` says whether the job ends when this command does."""

    job: Any  # a job of submitit
    to_be_ended: bool = True

    def ended(self) -> bool:
        return bool(self.job.done())

    def trouble(self) -> str:
        if (error := self.job.exception()) is not None:
            return " ".join(str(error).split())[:300]
        code = self.job.result()
        return f"its process ended with code {code}" if code else ""

    def cancel(self) -> None:
        if self.to_be_ended:
            self.job.cancel()


def jobs_in_queue(folder: Path, task: object, to_be_ended: bool) -> list[SlurmJob]:
    """The jobs that earlier commands have submitted for the same task, and that wait in the queue or run.

    submitit keeps what it submits in `folder`, in a file for each job.
    """
    import submitit
    from submitit.core.utils import JobPaths

    pattern = JobPaths(folder, "*").submitted_pickle.name
    ids = sorted(path.name.removesuffix(pattern[1:]) for path in folder.glob(pattern))
    known: list[Any] = [submitit.SlurmJob(folder, number) for number in ids]
    left = [job for job in known if not job.paths.result_pickle.exists()]
    if not left:
        return []
    submitit.SlurmJob.watcher.update()
    return [
        SlurmJob(job, to_be_ended)
        for job in left
        if job.watcher.get_state(job.job_id, mode="cache") in IN_QUEUE and job.submission().function == task
    ]
