"""A worker of a search, which `python -m pipeline.train -m sweep=... sweep.workers=4` starts; not for use by hand.

It reads one line of JSON from its standard input: the sweep's name, its storage, and until when trials may begin. When
the standard input ends, because the command has ended, it saves a checkpoint and ends.
"""

import json
import os
import signal
import sys
import threading

from pipeline.cli import run_command, terminate_as_interrupt


def serve() -> None:
    from pipeline.layout import Layout
    from pipeline.sweeping.processes import Order
    from pipeline.sweeping.work import take_part

    order = Order(**json.loads(sys.stdin.readline()))
    terminate_as_interrupt()
    threading.Thread(target=end_with_command, daemon=True).start()
    take_part(order, Layout.find())


def end_with_command() -> None:
    sys.stdin.read()
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    run_command(serve)
