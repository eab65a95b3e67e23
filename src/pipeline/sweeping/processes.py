"""Workers that are processes of this machine; on others, Ray and Slurm start the same ones."""

import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

from pipeline.errors import ConfigError
from pipeline.layout import Layout
from pipeline.search.study import Study
from pipeline.sweeping.telling import Teller

POLL_SECONDS = 0.1
# So long may a worker take to save its checkpoint when the search is interrupted.
PATIENCE_SECONDS = 30.0


@dataclass(frozen=True)
class Order:
    """What a worker is told; all else it finds in the study. No trial begins after `until` (seconds since 1970; 0 is
    never). The storage's address may hold a password."""

    sweep: str
    storage: str = field(repr=False)
    until: float

    @classmethod
    def of(cls, study: Study, until: float) -> "Order":
        return cls(study.plan.name, study.plan.settings.storage, until)

    def line(self) -> bytes:
        return json.dumps(asdict(self)).encode() + b"\n"


class Worker:
    """A process that works on the search. It reads its order from its standard input, and ends when that ends, however
    the process ends that started it."""

    def __init__(self, order: Order, root: Path, environment: dict[str, str] | None = None) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "pipeline.worker"],
            stdin=subprocess.PIPE,
            cwd=root,
            env={**os.environ, **(environment or {})},
            # Ctrl-C is for the command alone, which then ends its workers.
            start_new_session=True,
        )
        assert self._process.stdin is not None
        # The order does not stand on the command line, which others can see.
        self._process.stdin.write(order.line())
        self._process.stdin.flush()

    @property
    def runs(self) -> bool:
        return self._process.poll() is None

    @property
    def code(self) -> int | None:
        return self._process.returncode

    def wait(self) -> int:
        return self._process.wait()

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


def processes(study: Study, layout: Layout, until: float, teller: Teller) -> None:
    """Let processes of this machine work on the search, and wait for them."""
    order = Order.of(study, until)
    workers = [Worker(order, layout.root, gpu_of(number)) for number in range(study.plan.settings.workers)]
    told = set[int]()
    try:
        while any(worker.runs for worker in workers):
            time.sleep(POLL_SECONDS)
            teller.tell()
            for number, worker in enumerate(workers):
                if not worker.runs and worker.code and number not in told:
                    told.add(number)
                    print(f"worker {number} has ended with code {worker.code}", file=sys.stderr, flush=True)
    finally:
        for worker in workers:
            worker.stop()
    if not study.done and not until:
        codes = ", ".join(str(worker.code) for worker in workers)
        raise ConfigError(f"sweep {study.plan.name}: all workers have ended ({codes}). Give the same command to go on.")


def gpu_of(number: int) -> dict[str, str]:
    """The environment that gives one GPU to the worker of this number; empty where there is none. TensorFlow is not
    asked, since it would take the GPUs for this process."""
    listed = os.environ.get("CUDA_VISIBLE_DEVICES")
    gpus = (
        listed.split(",") if listed else [str(i) for i in range(len(list(Path("/proc/driver/nvidia/gpus").glob("*"))))]
    )
    gpus = [gpu for gpu in gpus if gpu.strip()]
    return {"CUDA_VISIBLE_DEVICES": gpus[number % len(gpus)]} if gpus else {}
