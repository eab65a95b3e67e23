"""How a Python process starts and ends when it imports much and lives for a few seconds."""

import atexit
import gc
import os
import sys
from typing import NoReturn

_codes: list[int] = []  # the exit codes asked for; the last one counts


def start_lean() -> None:
    """Prepare a fast start and end. Call it before the slow imports, and before anything else registers for the exit.

    By default Python collects garbage hundreds of times while it imports TensorFlow or MLflow, finds none, and spends
    a fifth of the time of the import on it.
    """
    gc.set_threshold(50_000, 20, 20)
    # atexit calls last what was registered first.
    atexit.register(_leave)


def exit_lean(code: int) -> NoReturn:
    """End the process as sys.exit does, but skip the destruction of all objects that TensorFlow and MLflow have made,
    which takes 1 to 2 seconds. Functions that others have registered for the exit are still called. A process that ends
    with a traceback ends in the usual way."""
    _codes.append(code)
    sys.exit(code)


def exit_in_full() -> None:
    """Let this process end the usual way after all. The semaphores that it shares with the workers of a launcher are
    released only when their objects are destroyed."""
    atexit.unregister(_leave)


def _leave() -> None:
    if _codes:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(_codes[-1])
