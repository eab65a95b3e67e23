"""Ctrl-C and SIGTERM during a training: the first is kept until the epoch is saved, the second acts at once.

An epoch, or a block of them, is one call into TensorFlow, and Python hears of a signal only after it. So what must
come at once comes from a thread, which Python's wake-up file descriptor tells.
"""

import os
import signal
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from types import FrameType

from pipeline.errors import INTERRUPTED

SIGNALS = (signal.SIGINT, signal.SIGTERM)
STDERR = 2


class Interrupts:
    """A context in which the first signal only sets `requested`. The second ends the process, as `kill -9` may too."""

    def __init__(self) -> None:
        self.requested = False
        self._previous: dict[int, Callable[[int, FrameType | None], object] | int | None] = {}
        self._close: list[Callable[[], object]] = []

    def __enter__(self) -> "Interrupts":
        if threading.current_thread() is threading.main_thread():
            reader, writer = socket.socketpair()
            writer.setblocking(False)
            threading.Thread(target=_watch, args=(reader,), daemon=True).start()
            before = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
            self._close = [lambda: signal.set_wakeup_fd(before), writer.close]
            self._previous = {number: signal.signal(number, self._receive) for number in SIGNALS}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)
        for close in self._close:
            close()

    def _receive(self, number: int, frame: FrameType | None) -> None:
        self.requested = True


def _watch(reader: socket.socket) -> None:
    """Say what a signal does as soon as it comes; end the process at the second."""
    count = 0
    with reader:
        while received := reader.recv(1):
            if received[0] not in SIGNALS:
                continue
            count += 1
            if count == 1:
                _say("stopping after this epoch, which is saved (once more: at once)")
            else:
                _say("interrupted")
                os._exit(INTERRUPTED)


def _say(line: str) -> None:
    """A line on stderr, if anyone reads it; not by `print`, which the interrupted thread may be in the middle of."""
    with suppress(OSError):
        os.write(STDERR, f"{line}\n".encode())
