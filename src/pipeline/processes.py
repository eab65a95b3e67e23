"""Python's start and end, as a process wants them that imports much and lives for seconds."""

import atexit
import gc
import os
import sys
from typing import NoReturn

_codes: list[int] = []


def start_lean() -> None:
    """To be called before the imports that take long, and before anything else asks to be called at the exit.

    By default Python looks for garbage hundreds of times while it imports TensorFlow or MLflow, finds nothing, and
    takes a fifth of the time.
    """
    gc.set_threshold(50_000, 20, 20)
    # what is registered first is called last
    atexit.register(_leave)


def exit_lean(code: int) -> NoReturn:
    """End the process as sys.exit does, without taking apart, object by object, what TensorFlow and MLflow have made
    in it: 1 to 2 seconds. What others have registered for the exit is called; a traceback needs no such exit."""
    _codes.append(code)
    sys.exit(code)


def exit_in_full() -> None:
    """Let this process end the usual way after all: semaphores that it shares with workers of a launcher are given
    back by their objects' ends alone."""
    atexit.unregister(_leave)


def _leave() -> None:
    if _codes:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(_codes[-1])
