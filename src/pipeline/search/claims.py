"""Who works on what: locks that end with their holder, however it ends."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from filelock import FileLock, Timeout

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine


@dataclass(frozen=True)
class Lock:
    """A lock that this process holds until `release` or its end."""

    release: Callable[[], None]


class Claims(Protocol):
    def study(self) -> AbstractContextManager[None]:
        """Hold the lock of the whole study; wait for it."""

    def trial(self, number: int) -> Lock | None:
        """The lock of one trial, or None while another worker has it."""


class FileClaims:
    """Lock files in `folder`, for the processes of one machine or of machines that share a file system with locks."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    @contextmanager
    def study(self) -> Iterator[None]:
        with FileLock(self.folder / "study.lock", poll_interval=0.005):
            yield

    def trial(self, number: int) -> Lock | None:
        lock = FileLock(self.folder / f"{number}.lock", thread_local=False)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            return None
        return Lock(lock.release)


class PostgresClaims:
    """PostgreSQL's advisory locks. Each is held by a connection of its own; the server frees it when that ends.

    So the connection must go to the server itself, or to a pool that keeps sessions.
    """

    def __init__(self, engine: "Engine", name: str) -> None:
        self.engine = engine
        self.name = name

    @contextmanager
    def study(self) -> Iterator[None]:
        connection = self.engine.connect()
        try:
            self._lock(connection, "pg_advisory_lock", "study")
            yield
        finally:
            connection.close()

    def trial(self, number: int) -> Lock | None:
        connection = self.engine.connect()
        if self._lock(connection, "pg_try_advisory_lock", str(number)):
            return Lock(connection.close)
        connection.close()
        return None

    def _lock(self, connection: "Connection", function: str, what: str) -> bool:
        from sqlalchemy import text

        return bool(connection.execute(text(f"SELECT {function}(:key)"), {"key": lock_key(self.name, what)}).scalar())


def lock_key(name: str, what: str) -> int:
    """The number that stands for a lock on the whole server, of 64 bits with a sign."""
    digest = hashlib.sha256(f"pipeline sweep {name}\0{what}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)
