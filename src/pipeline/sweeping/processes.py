"""Workers that are processes of this machine; on others, Ray and Slurm start the same ones."""

import os
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from pipeline.errors import BAD_INPUT, INTERRUPTED, ConfigError
from pipeline.layout import Layout
from pipeline.search.study import Study
from pipeline.sweeping.cores import hold_to, shares
from pipeline.sweeping.deaths import Deaths
from pipeline.sweeping.order import Order
from pipeline.sweeping.planning import num_threads
from pipeline.sweeping.telling import Teller

POLL_SECONDS = 0.1
# So long may a worker take to save its checkpoint when the search is interrupted.
PATIENCE_SECONDS = 30.0


def processes(study: Study, layout: Layout, until: float, teller: Teller) -> None:
    """Workers that are processes of this machine. They end when this process does, however it ends.

    A worker that dies is replaced (deaths.py), and the new one has the cores and the GPU of the old one.
    """
    order, count = Order.of(study, until), study.plan.settings.workers
    if 0 < (found := len(gpus())) < count:
        told = f"{count} workers share {found} GPU{'s' * (found > 1)}, so each needs its part of the memory"
        print(f"{told}; sweep.workers={found} gives each one of its own", file=sys.stderr, flush=True)
    cores = shares(count, num_threads(study.plan, layout))

    def start(number: int) -> Worker:
        # A single one has all GPUs, as this process would.
        return Worker(order, layout.root, gpu_of(number) if count > 1 else {}, cores[number])

    workers, deaths = [start(number) for number in range(count)], Deaths(study, layout)
    try:
        at_work = list(range(count))
        while at_work:
            time.sleep(POLL_SECONDS)
            teller.tell()
            for number in [number for number in at_work if not workers[number].runs]:
                if workers[number].died and not study.done:
                    deaths.note(workers[number].name, workers[number].code or 0)
                    workers[number] = start(number)
                else:
                    at_work.remove(number)
    finally:
        for worker in workers:
            worker.tell_to_stop()
        for worker in workers:
            worker.wait()
    refused = [worker.code for worker in workers if worker.code]
    if refused and not study.done:
        codes = ", ".join(map(str, refused))
        raise ConfigError(f"sweep {study.plan.name}: workers have ended with {codes}. Give the same command to go on.")


class Worker:
    """A process that works on the search. It reads its order from its standard input, and ends when that ends, however
    the process ends that has started it. It is held to `cores` where there are any."""

    def __init__(
        self, order: Order, root: Path, environment: dict[str, str], cores: frozenset[int] = frozenset()
    ) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "pipeline.worker"],
            stdin=subprocess.PIPE,
            cwd=root,
            env={**os.environ, **environment},
            # Ctrl-C is for the command alone, which then ends its workers.
            start_new_session=True,
        )
        # It imports TensorFlow only when it has read its order.
        hold_to(cores, self._process.pid)
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


class Place:
    """A place for one worker on a machine that Ray or Slurm has chosen: a worker that dies is replaced there."""

    def __init__(self, order: Order, layout: Layout, environment: dict[str, str]) -> None:
        self._order, self._layout, self._environment = order, layout, environment
        self._worker, self._stopped = self._start(), False

    def _start(self) -> Worker:
        return Worker(self._order, self._layout.root, self._environment)

    def work(self) -> int:
        """Wait until a worker has ended by itself, and return its exit code."""
        deaths: Deaths | None = None
        while True:
            code = self._worker.work()
            if self._stopped or not self._worker.died:
                return code
            study = Study.open(self._order.storage, self._order.sweep, self._layout).of_trials(self._order.trials)
            if study.done:
                return code
            deaths = deaths or Deaths(study, self._layout)
            deaths.note(self._worker.name, code)
            self._worker = self._start()

    def stop(self) -> None:
        """Let the worker save a checkpoint and end."""
        self._stopped = True
        self._worker.tell_to_stop()
        self._worker.wait()


def gpu_of(number: int) -> dict[str, str]:
    """The environment that gives one GPU to the worker of this number; empty where there is none."""
    found = gpus()
    return {"CUDA_VISIBLE_DEVICES": found[number % len(found)]} if found else {}


def gpus() -> list[str]:
    """The GPUs that workers may use. TensorFlow is not asked, since it would take them for this process."""
    listed = os.environ.get("CUDA_VISIBLE_DEVICES")
    if listed is None:
        return [str(i) for i, _ in enumerate(Path("/proc/driver/nvidia/gpus").glob("*"))]
    return [gpu.strip() for gpu in listed.split(",") if gpu.strip()]
