"""A worker of a search, which `python -m pipeline.train -m sweep=... sweep.workers=4` starts; not for use by hand.

It reads one line of JSON from its standard input: the sweep's name, its storage, how many trials are wanted, and until
when they may begin. When the standard input ends, because the command has ended, it saves a checkpoint and ends.
"""

import json
import os
import signal
import sys
import threading

from pipeline.cli import run_command, terminate_as_interrupt


def serve() -> None:
    from pipeline.layout import Layout
    from pipeline.sweeping.order import Order
    from pipeline.sweeping.work import take_part

    line = sys.stdin.readline()
    if not line:
        return  # the command has ended before it said what to do
    order = Order(**json.loads(line))
    terminate_as_interrupt()
    threading.Thread(target=end_with_command, daemon=True).start()
    take_part(order, Layout.find())


def end_with_command() -> None:
    # not by sys.stdin, whose lock this thread would hold when the interpreter ends
    while os.read(0, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    run_command(serve)
