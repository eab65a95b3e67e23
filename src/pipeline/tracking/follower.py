"""The child process that carries a run's journal to MLflow while the run goes on.

It is a process and not a thread, so that MLflow's import and a server that does not answer cost the training nothing.
It also outlives a training that is killed, just long enough to deliver what the journal holds.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pipeline.layout import Layout
from pipeline.tracking.settings import without_password

LOG = "sync.log"


class Follower:
    """Start it before TensorFlow is imported, name each run with `follow`, and call `stop` at the end.

    The child process ends when its standard input does: when this process calls `stop`, or dies, however it dies. It
    writes to the file `log`. `sweep` is the name of the sweep whose jobs it follows, one after another.
    """

    def __init__(self, layout: Layout, log: Path, sweep: str = "") -> None:
        self.layout, self.log = layout, log
        self._log_starts = log.stat().st_size if log.is_file() else 0
        with log.open("ab") as stream:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "pipeline.tracking.follow", str(layout.home), sweep],
                stdin=subprocess.PIPE,
                bufsize=0,
                stdout=stream,
                stderr=stream,
                cwd=layout.home,  # because it outlives the working tree of a `dvc exp run --temp`
                env=os.environ,
                # Ctrl-C ends the training; in a session of its own, the follower does not get it and still delivers.
                start_new_session=True,
            )

    @classmethod
    def of_run(cls, layout: Layout, identity: str) -> "Follower":
        """A follower for this run alone, which it follows at once."""
        follower = cls(layout, layout.run(identity) / LOG)
        follower.follow(identity)
        return follower

    @classmethod
    def of_job(cls, layout: Layout, identity: str, sweep: str) -> "Follower":
        """The follower that all of a sweep's jobs in this process share, because MLflow's import takes longer than many
        a job. It now follows this run. Nobody stops it; it ends with this process."""
        follower = _of_sweeps.get(sweep)
        if follower is None or follower._process.poll() is not None:
            follower = _of_sweeps[sweep] = cls(layout, layout.sweep(sweep) / LOG, sweep)
        follower.follow(identity)
        return follower

    def follow(self, identity: str) -> None:
        """Follow runs/<identity>/journal.jsonl from now on, and what was followed before until it is delivered."""
        assert self._process.stdin is not None
        # The child may have died. `register` or the end of the sweep then delivers what it has not.
        with suppress(BrokenPipeError):
            self._process.stdin.write(f"{identity}\n".encode())

    def stop(self, timeout: float) -> str | None:
        """End the child process. Returns None if it has delivered everything within `timeout` seconds, else one line
        that says so. With a timeout of 0 it delivers the rest after this process has ended, and the answer is None."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        if timeout == 0:
            return None
        try:
            delivered = self._process.wait(timeout) == 0
        except subprocess.TimeoutExpired:
            delivered = False
        if delivered or self._process.returncode == -signal.SIGTERM:
            # After SIGTERM, another process delivers the rest: it has terminated this one to do so (locks.hold).
            return None
        said = self.log.read_bytes()[self._log_starts :].decode(errors="replace").strip()
        why = f"{self.log} says why" if said else f"it needs more than {timeout:g} s, and goes on in the background"
        return (
            f"MLflow at {without_password(self.layout.tracking_uri)} has not taken everything yet ({why}). Nothing is "
            "lost: the next `make repro` delivers."
        )


_of_sweeps: dict[str, Follower] = {}


@contextmanager
def followed(layout: Layout, identity: str, sweep: str, wait: float) -> Iterator[None]:
    """Carry the run's journal to MLflow while the body runs, and wait at most `wait` seconds for the rest at the end.

    The job of a `sweep` does not wait: the end of the sweep delivers what is left.
    """
    if sweep:
        Follower.of_job(layout, identity, sweep)
        yield
        return
    follower = Follower.of_run(layout, identity)
    try:
        yield
    finally:
        if trouble := follower.stop(wait):
            print(trouble)
