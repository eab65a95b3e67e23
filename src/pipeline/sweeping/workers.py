"""Where the workers of a search run: in this process, in processes of this machine, on a Ray cluster or under Slurm."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from pipeline import locks
from pipeline.cli import terminate_as_interrupt
from pipeline.errors import ConfigError
from pipeline.layout import LOCK, Layout
from pipeline.search.study import Study
from pipeline.sweeping.telling import Teller
from pipeline.sweeping.work import work

POLL_SECONDS = 0.1
# So long may a worker take to save its checkpoint when the search is interrupted.
PATIENCE_SECONDS = 30.0


def run_workers(study: Study, layout: Layout) -> None:
    """Let the workers that the settings ask for work on the search, and wait for them."""
    settings = study.plan.settings
    until = time.time() + settings.seconds if settings.seconds else 0.0
    teller = Teller(study)
    if study.done:
        return
    # While somebody has this lock, the sweep counts as running. A second command on the same search just joins.
    folder = layout.sweep(study.plan.name)
    with locks.held_if_free(folder / LOCK):
        if settings.on == "here" and settings.workers == 1:
            terminate_as_interrupt()
            work(study, layout, until, teller)
        else:
            STARTERS[settings.on](study, layout, until, teller)
    teller.tell()


def processes(study: Study, layout: Layout, until: float, teller: Teller) -> None:
    """Workers that are processes of this machine. They end when this process does, however it ends."""
    workers = [Worker(study, layout, until, number) for number in range(study.plan.settings.workers)]
    told = set[int]()
    try:
        while any(worker.runs for worker in workers):
            time.sleep(POLL_SECONDS)
            teller.tell()
            for worker in workers:
                if not worker.runs and worker.code and worker.number not in told:
                    told.add(worker.number)
                    print(f"worker {worker.number} has ended with code {worker.code}", file=sys.stderr, flush=True)
    finally:
        for worker in workers:
            worker.stop()
    if not study.done and not until:
        codes = ", ".join(str(worker.code) for worker in workers)
        raise ConfigError(f"sweep {study.plan.name}: all workers have ended ({codes}). Give the same command to go on.")


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
        assert self._process.stdin is not None
        # The storage's address may hold a password, so it does not stand on a command line that others can see.
        order = {"sweep": study.plan.name, "storage": study.plan.settings.storage, "until": until}
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        self._process.stdin.flush()

    @property
    def runs(self) -> bool:
        return self._process.poll() is None

    @property
    def code(self) -> int | None:
        return self._process.returncode

    def stop(self) -> None:
        """Let the process save a checkpoint and end; one that does not is killed, and loses what came after the last
        checkpoint."""
        assert self._process.stdin is not None
        self._process.stdin.close()
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
