"""`python -m pipeline.tracking.follow <root> <identity> [<sweep>]`: sync a journal until standard input ends, then
once more."""

import select
import sys
import time
from pathlib import Path

from pipeline.errors import PipelineError
from pipeline.layout import Layout

SECONDS_BETWEEN = 1.0
SECONDS_AFTER_FAILURE = 10.0
# a delivery reads the whole journal: a long one is followed by a rest of so many times its own length
REST, LONGEST_REST = 20, 30.0


def parent_is_gone(timeout: float) -> bool:
    """Wait up to `timeout` seconds for the end of standard input."""
    ready, _, _ = select.select([sys.stdin], [], [], timeout)
    return bool(ready)


def follow(layout: Layout, identity: str, sweep: str = "") -> bool:
    """True when the last sync delivered everything. The run of a sweep's job is shown below the sweep's."""
    from pipeline.garbage import collect_seldom
    from pipeline.tracking.settings import set_defaults

    collect_seldom()
    set_defaults()
    from pipeline.tracking.store import Store
    from pipeline.tracking.sweep_sync import adopt
    from pipeline.tracking.sync import RunSync

    last, store = False, Store(layout)
    syncing: RunSync | None = None
    while True:
        started = time.monotonic()
        wait = SECONDS_BETWEEN
        try:
            syncing = syncing or RunSync(store, layout.run(identity))
            run_id = syncing.deliver()
            if sweep and run_id:
                adopt(store, sweep, identity.rpartition("-")[0], run_id)
                sweep = ""
            delivered, wait = True, min(LONGEST_REST, max(SECONDS_BETWEEN, REST * (time.monotonic() - started)))
        except PipelineError as error:
            print(error, flush=True)
            delivered, wait = False, SECONDS_AFTER_FAILURE
        if last:
            return delivered
        last = parent_is_gone(wait)
        if last and not delivered:
            return False


if __name__ == "__main__":
    sys.exit(0 if follow(Layout(Path(sys.argv[1])), *sys.argv[2:]) else 1)
