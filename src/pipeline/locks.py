"""Locks between processes, which the system releases when their holder dies, however it dies."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

SECONDS_BETWEEN = 0.2  # of looks at a lock that another process has


def held(path: Path) -> bool:
    """Whether some process has the lock file `path` now."""
    if not path.exists():
        return False
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    lock.release()
    return False


# In a lock's owner file, this stands behind the number of a process that may be stopped at any time without a loss.
GIVES_WAY = "gives way"


@contextmanager
def held_if_free(path: Path) -> Iterator[bool]:
    """Hold the lock file `path` unless another process has it; yields whether this process has it now."""
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        yield False
        return
    try:
        yield True
    finally:
        lock.release()


@contextmanager
def held_when_free(path: Path) -> Iterator[None]:
    """Hold the lock file `path` as soon as no other process has it, which may be later in the body. So it is held for
    as long as any process is in such a body; somebody who just looks at it keeps nobody out."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lock, ended = FileLock(path, thread_local=False), threading.Event()

    def taken() -> bool:
        with suppress(Timeout):
            lock.acquire(timeout=0)
        return lock.is_locked

    def take() -> None:
        while not (ended.wait(SECONDS_BETWEEN) or taken()):
            pass

    taking = threading.Thread(target=take, daemon=True)
    if not taken():
        taking.start()
    try:
        yield
    finally:
        ended.set()
        if taking.is_alive():
            taking.join()
        lock.release()


@contextmanager
def hold(path: Path, what: str, gives_way: bool = False) -> Iterator[None]:
    """Hold the lock file `path`.

    While another process holds it, print once which process that is, and wait. A holder that gives way is terminated
    instead, unless this process gives way as well.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path)
    owner = path.with_name(f"{path.name}.owner")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        holder = owner.read_text().strip() if owner.exists() else "another process"
        number = holder.removeprefix("process ").removesuffix(f" {GIVES_WAY}")
        if holder.endswith(GIVES_WAY) and not gives_way and number.isdigit():
            with suppress(ProcessLookupError):
                os.kill(int(number), signal.SIGTERM)
        else:
            print(f"waiting for {holder}, which holds {what} ({path})", file=sys.stderr, flush=True)
        lock.acquire()
    try:
        owner.write_text(f"process {os.getpid()}{f' {GIVES_WAY}' if gives_way else ''}\n")
        yield
    finally:
        owner.unlink(missing_ok=True)
        lock.release()
