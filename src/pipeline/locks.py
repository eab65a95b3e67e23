"""Locks between processes, which the system releases when their holder dies, however it dies."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout


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


@contextmanager
def hold(path: Path, what: str) -> Iterator[None]:
    """Hold the lock file `path`. While another process has it, say once which one, and wait."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path)
    owner = path.with_name(f"{path.name}.owner")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        holder = owner.read_text().strip() if owner.exists() else "another process"
        print(f"waiting for {holder}, which holds {what} ({path})", file=sys.stderr, flush=True)
        lock.acquire()
    try:
        owner.write_text(f"process {os.getpid()}\n")
        yield
    finally:
        owner.unlink(missing_ok=True)
        lock.release()
