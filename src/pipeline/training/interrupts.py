"""Ctrl-C and SIGTERM during a training: the first is kept until the epoch is saved, the second acts at once.

An epoch, or a block of them, is one call into TensorFlow, and Python hears of a signal only after it. So what must
come at once comes from a thread, which Python's wake-up file descriptor tells.
"""

import os
import signal
import socket
import threading
from types import FrameType
from typing import Any

from pipeline.errors import INTERRUPTED

SIGNALS = (signal.SIGINT, signal.SIGTERM)
STDERR = 2


class Interrupts:
    """A context in which the first signal only sets `requested`. The second ends the process, as `kill -9` may too."""

    def __init__(self) -> None:
        self.requested = False
        self._previous: dict[int, Any] = {}
        self._heard = self._told = socket.socket()

    def __enter__(self) -> "Interrupts":
        if threading.current_thread() is threading.main_thread():
            self._previous = {number: signal.signal(number, self._receive) for number in SIGNALS}
            self._heard, self._told = socket.socketpair()
            self._told.setblocking(False)
            signal.set_wakeup_fd(self._told.fileno(), warn_on_full_buffer=False)
            threading.Thread(target=_watch, args=(self._heard,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._previous:
            signal.set_wakeup_fd(-1)
        for number, handler in self._previous.items():
            signal.signal(number, handler)
        self._told.close()

    def _receive(self, number: int, frame: FrameType | None) -> None:
        self.requested = True


def _watch(heard: socket.socket) -> None:
    """Say what a signal does as soon as it comes; end the process at the second."""
    count = 0
    with heard:
        while received := heard.recv(1):
            if received[0] not in SIGNALS:
                continue
            count += 1
            if count == 1:
                # not `print`, which the interrupted thread may be in the middle of
                os.write(STDERR, b"stopping after this epoch, which is saved (once more: at once)\n")
            else:
                os.write(STDERR, b"interrupted\n")
                os._exit(INTERRUPTED)
