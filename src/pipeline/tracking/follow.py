"""`python -m pipeline.tracking.follow <root> [<sweep>]`: carry the journals of runs to MLflow while they grow.

Standard input names the runs, one on each line. When it ends, the process syncs once more and ends too.
"""

import os
import select
import sys
from contextlib import suppress
from pathlib import Path

from pipeline.errors import PipelineError
from pipeline.layout import Layout
from pipeline.processes import exit_lean, start_lean

SECONDS_BETWEEN = 1.0
SECONDS_AFTER_FAILURE = 10.0
LOW_PRIORITY = 10  # with this `nice` value it gets about a tenth of a core that the training wants too


def give_way() -> None:
    """Let the training go first. Linux divides a core between sessions before it looks at their processes, and this
    process has a session of its own, so the session gets the low priority too."""
    os.nice(LOW_PRIORITY)
    with suppress(OSError):
        Path("/proc/self/autogroup").write_text(str(LOW_PRIORITY))


class Parent:
    """The training that started this process. It writes the names of the runs to follow to this process's standard
    input, which ends when the training does."""

    def __init__(self) -> None:
        self._unfinished_line, self.ended = b"", False

    def named_since(self, wait: float) -> list[str]:
        """The identities that were named since the last call. Waits for one, but at most `wait` seconds."""
        ready, _, _ = select.select([0], [], [], wait)
        if not ready:
            return []
        said = os.read(0, 65536)
        self.ended = not said
        *lines, self._unfinished_line = (self._unfinished_line + said).split(b"\n")
        return [line.decode() for line in lines]


def follow(layout: Layout, sweep: str = "") -> bool:
    """Sync until the training has ended; return whether the last sync delivered everything. The runs of a sweep's jobs
    are put below the sweep's own run, which says how the sweep goes on."""
    from pipeline.tracking.settings import set_defaults

    give_way()
    set_defaults()
    from pipeline.tracking.store import Store
    from pipeline.tracking.sweep_sync import SweepSync
    from pipeline.tracking.sync import RunSync

    store, parent = Store(layout, gives_way=True), Parent()
    followed: list[tuple[str, RunSync]] = []
    own = SweepSync(store, sweep) if sweep else None
    delivered, wait = True, 0.0
    while True:
        followed += [(name, RunSync(store, layout.run(name))) for name in parent.named_since(wait)]
        if parent.ended and not delivered:
            return False
        try:
            for name, syncing in followed:
                run_id = syncing.deliver()
                if own is not None and run_id:
                    own.follow(name, run_id)
            if own is not None:
                own.deliver(wait=parent.ended)
            # A process trains one run after another, so every run but the last has ended.
            followed = followed[-1:]
            delivered, wait = True, SECONDS_BETWEEN
        except PipelineError as error:
            print(error, flush=True)
            delivered, wait = False, SECONDS_AFTER_FAILURE
        if parent.ended:
            return delivered


if __name__ == "__main__":
    start_lean()
    exit_lean(0 if follow(Layout(Path(sys.argv[1])), *sys.argv[2:]) else 1)
