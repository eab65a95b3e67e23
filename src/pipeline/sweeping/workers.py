"""Where the workers of a search run: in this process, in processes of this machine, on a Ray cluster or under Slurm."""

import json
import os
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from pipeline import locks
from pipeline.cli import terminate_as_interrupt
from pipeline.errors import BAD_INPUT, INTERRUPTED, ConfigError
from pipeline.layout import LOCK, Layout
from pipeline.search.study import Study
from pipeline.search.trial import Result
from pipeline.sweeping.telling import Teller
from pipeline.sweeping.work import work
from pipeline.tracking.sweep import FAILED, RUNNING, read_jobs

POLL_SECONDS = 0.1
# So long may a worker take to save its checkpoint when the search is interrupted.
PATIENCE_SECONDS = 30.0
# Workers may die outside of any trial, and so often before the search gives up.
OUTSIDE, MOST_DEATHS = -1, 3


def run_workers(study: Study, layout: Layout) -> None:
    """Let the workers that the settings ask for work on the search, and wait for them."""
    settings = study.plan.settings
    until = time.time() + settings.seconds if settings.seconds else 0.0
    teller = Teller(study)
    if study.done:
        return
    terminate_as_interrupt()
    # While somebody has this lock, the sweep counts as running. A second command on the same search just joins.
    folder = layout.sweep(study.plan.name)
    with locks.held_if_free(folder / LOCK):
        if settings.on == "here" and settings.workers == 1:
            work(study, layout, until, teller)
        else:
            STARTERS[settings.on](study, layout, until, teller)
    teller.tell()


def processes(study: Study, layout: Layout, until: float, teller: Teller) -> None:
    """Workers that are processes of this machine. They end when this process does, however it ends.

    A worker that dies is replaced. A trial in which two workers have died one after the other has failed: it would take
    all others with it.
    """
    workers = [Worker(study, layout, until, number) for number in range(study.plan.settings.workers)]
    deaths: Counter[int] = Counter()
    try:
        while any(worker.runs for worker in workers):
            time.sleep(POLL_SECONDS)
            teller.tell()
            for number, worker in enumerate(workers):
                if worker.died and not study.done:
                    deaths.update(note_death(study, layout, worker, deaths))
                    workers[number] = Worker(study, layout, until, number)
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
    """A process that works on the search. It reads what to do from its standard input, and ends when that ends."""

    def __init__(self, study: Study, layout: Layout, until: float, number: int) -> None:
        self.number = number
        self._process = subprocess.Popen(
            [sys.executable, "-m", "pipeline.worker"],
            stdin=subprocess.PIPE,
            cwd=layout.root,
            env={**os.environ, **gpu_of(number)},
            # Ctrl-C is for the command alone, which then ends its workers.
            start_new_session=True,
        )
        # The storage's address may hold a password, so it does not stand on a command line that others can see.
        order = {"sweep": study.plan.name, "storage": study.plan.settings.storage, "until": until}
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps(order).encode() + b"\n")
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


STARTERS: dict[str, Callable[[Study, Layout, float, Teller], None]] = {"here": processes}
