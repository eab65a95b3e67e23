"""The child process that carries a run's journal to MLflow while the run goes on.

A process, not a thread: MLflow's import and a server that does not answer cost the training nothing, and it
outlives a training that is killed for just long enough to deliver what was journaled.
"""

import os
import subprocess
import sys

from pipeline.layout import Layout
from pipeline.tracking.settings import without_password

LOG = "sync.log"


class Follower:
    """`start` before TensorFlow is imported, `stop` at the end."""

    def __init__(self, process: "subprocess.Popen[bytes]", identity: str, uri: str) -> None:
        self._process, self._identity, self._uri = process, identity, uri

    @classmethod
    def start(cls, layout: Layout, identity: str, sweep: str | None = None) -> "Follower":
        """Follow runs/<identity>/journal.jsonl, for a job of `sweep`. It ends when its standard input does: when
        this process calls `stop`, or dies, however it dies."""
        folder = layout.run(identity)
        with (folder / LOG).open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "pipeline.tracking.follow", str(layout.home), identity, sweep or ""],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                cwd=layout.home,  # it outlives the working tree of a `dvc exp run --temp`
                env=os.environ,
                # its own session: Ctrl-C is for the training, the follower still delivers
                start_new_session=True,
            )
        return cls(process, identity, without_password(layout.tracking_uri))

    def stop(self, timeout: float) -> str | None:
        """End it; None if all is delivered within `timeout` seconds, else one line that says what is not. With a
        timeout of 0 it delivers the rest after this process has ended, and the answer is None."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        if timeout == 0:
            return None
        try:
            delivered = self._process.wait(timeout) == 0
        except subprocess.TimeoutExpired:
            delivered = False
        if delivered:
            return None
        return (
            f"MLflow at {self._uri} has not taken everything yet (runs/{self._identity}/{LOG} says why). "
            "Nothing is lost: the next `make repro` delivers."
        )
