"""Ctrl-C and SIGTERM during a training: the first waits until the epoch is saved, the second acts at once.

An epoch, or a block of epochs, is one call into TensorFlow, and Python runs its signal handlers only after that call
has returned. What must happen at once is therefore done by a thread that watches. `signal.set_wakeup_fd` wakes it as
soon as a signal comes.
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
    """A context in which the first signal only sets `requested`. The second one ends the process at once, which is as
    safe as `kill -9` is: nothing is saved, but the last checkpoint stays whole."""

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
    """Say on stderr what each signal does as soon as it comes, and end the process at the second one."""
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
    """Write a line to stderr, if anyone reads it.

    This does not use `print`, because the main thread may be in the middle of a `print` when the signal comes.
    """
    with suppress(OSError):
        os.write(STDERR, f"{line}\n".encode())
