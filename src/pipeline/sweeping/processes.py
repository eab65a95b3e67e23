"""Workers that are processes of this machine; on others, Ray and Slurm start the same ones."""

import os
import socket
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

from pipeline.errors import BAD_INPUT, INTERRUPTED, ConfigError
from pipeline.layout import Layout
from pipeline.search.study import Study
from pipeline.search.trial import Result
from pipeline.sweeping.order import Order
from pipeline.sweeping.telling import Teller
from pipeline.tracking.sweep import FAILED, RUNNING, read_jobs

POLL_SECONDS = 0.1
# So long may a worker take to save its checkpoint when the search is interrupted.
PATIENCE_SECONDS = 30.0
# Workers may die outside of any trial, and so often before the search gives up.
OUTSIDE, MOST_DEATHS = -1, 3


def processes(study: Study, layout: Layout, until: float, teller: Teller) -> None:
    """Workers that are processes of this machine. They end when this process does, however it ends.

    A worker that dies is replaced. A trial in which two workers have died one after the other has failed: it would take
    all others with it.
    """
    order = Order.of(study, until)
    workers = [Worker(order, layout.root, gpu_of(number), number) for number in range(study.plan.settings.workers)]
    deaths: Counter[int] = Counter()
    try:
        while any(worker.runs for worker in workers):
            time.sleep(POLL_SECONDS)
            teller.tell()
            for number, worker in enumerate(workers):
                if worker.died and not study.done:
                    deaths.update(note_death(study, layout, worker, deaths))
                    workers[number] = Worker(order, layout.root, gpu_of(number), number)
    finally:
        for worker in workers:
            worker.tell_to_stop()
        for worker in workers:
            worker.wait()
    refused = [worker.code for worker in workers if worker.code]
    if refused and not study.done:
        codes = ", ".join(map(str, refused))
        raise ConfigError(f"sweep {study.plan.name}: workers have ended with {codes}. Give the same command to go on.")


def note_death(study: Study, layout: Layout, worker: "Worker", deaths: Counter[int]) -> list[int]:
    """Say that a worker has died, and return the trial that it had. The second death makes that trial fail."""
    jobs = read_jobs(layout.sweep(study.plan.name))
    had = [job for job in jobs if job.status == RUNNING and job.worker == worker.name]
    where = f", in trial {had[0].number}" if had else ""
    print(f"worker {worker.number} has died (code {worker.code}){where}; another takes its place", file=sys.stderr)
    if not had and deaths[OUTSIDE] < MOST_DEATHS:
        return [OUTSIDE]
    if not had:
        raise ConfigError(f"sweep {study.plan.name}: workers die before they have a trial (code {worker.code}).")
    job = had[0]
    if deaths[job.number] and (claimed := study.claim_trial(job.number)) is not None:
        with claimed:
            job.status, job.error = FAILED, f"two workers have died in it, the last with code {worker.code}"
            job.save()
            claimed.finish(Result(FAILED, identity=job.identity, error=job.error))
        print(f"job {job.number} failed: {job.error}", file=sys.stderr, flush=True)
    return [job.number]


class Worker:
    """A process that works on the search. It reads its order from its standard input, and ends when that ends, however
    the process ends that has started it."""

    def __init__(self, order: Order, root: Path, environment: dict[str, str], number: int = 0) -> None:
        self.number = number
        self._process = subprocess.Popen(
            [sys.executable, "-m", "pipeline.worker"],
            stdin=subprocess.PIPE,
            cwd=root,
            env={**os.environ, **environment},
            # Ctrl-C is for the command alone, which then ends its workers.
            start_new_session=True,
        )
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            self._process.stdin.write(order.line())
            self._process.stdin.flush()

    @property
    def name(self) -> str:
        """As records of trials name it."""
        return f"{socket.gethostname()}:{self._process.pid}"

    @property
    def runs(self) -> bool:
        return self._process.poll() is None

    @property
    def code(self) -> int | None:
        return self._process.returncode

    @property
    def died(self) -> bool:
        """Whether it has ended in a way that it did not choose: by a signal, or with a traceback."""
        return not self.runs and self.code not in (0, BAD_INPUT, INTERRUPTED)

    def tell_to_stop(self) -> None:
        """Let the process save a checkpoint and end."""
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            self._process.stdin.close()

    def work(self) -> int:
        """Wait until it has ended by itself, and return its exit code."""
        return self._process.wait()

    def wait(self) -> None:
        """Wait for its end. A process that does not end is killed, and loses what came after its last checkpoint."""
        try:
            self._process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def gpu_of(number: int) -> dict[str, str]:
    """The environment that gives one GPU to the worker of this number; empty where there is none. TensorFlow is not
    asked, since it would take the GPUs for this process."""
    listed = os.environ.get("CUDA_VISIBLE_DEVICES")
    gpus = (
        listed.split(",") if listed else [str(i) for i in range(len(list(Path("/proc/driver/nvidia/gpus").glob("*"))))]
    )
    gpus = [gpu for gpu in gpus if gpu.strip()]
    return {"CUDA_VISIBLE_DEVICES": gpus[number % len(gpus)]} if gpus else {}
