"""Where a study is kept: Optuna's journal file in the sweep's folder, or PostgreSQL."""

import errno
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from pipeline.errors import ArtifactError, ConfigError
from pipeline.search.claims import Claims, FileClaims, PostgresClaims
from pipeline.tracking.settings import without_password

if TYPE_CHECKING:
    from optuna.storages import BaseStorage

JOURNAL_FILE = "study.journal"
WAITS = {"connect_timeout": 10}  # seconds, for a server that may be gone


def open_storage(address: str, name: str, folder: Path) -> "tuple[BaseStorage, Claims]":
    """The storage of the study `name`, whose sweep has this folder, and the locks that go with it."""
    silence()
    if not address:
        return open_journal(folder / JOURNAL_FILE), FileClaims(folder / "claims")
    return _open_postgres(address, name)


def silence() -> None:
    """Optuna says nothing but errors: what becomes of each trial is told by the search itself."""
    import warnings

    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)


def open_journal(path: Path) -> "BaseStorage":
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    class Journal(JournalFileBackend):
        """Writes each line whole, behind whole lines only, under a lock that ends with its holder: Optuna's own stays
        for half a minute when its holder is killed.

        It does not wait for the disk, as Optuna's does for milliseconds: after a power cut the study is as it was some
        trials before, and those that finished since are found in runs/ and not trained again.
        """

        def append_logs(self, logs: list[dict[str, Any]]) -> None:
            text = "".join(json.dumps(log, separators=(",", ":")) + "\n" for log in logs)
            with lock, path.open("ab", buffering=0) as stream:
                drop_half_line(path)
                if stream.write(text.encode()) != len(text.encode()):  # a full disk takes a part at first
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    lock = FileLock(f"{path}.lock", poll_interval=0.001)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        return JournalStorage(Journal(str(path)))
    except (ValueError, KeyError) as error:
        raise ArtifactError(
            f"{path}: damaged ({error}). Remove {path.parent} and give the sweep again; finished trainings are found."
        ) from error


def drop_half_line(path: Path) -> None:
    """Cut off what stands behind the last line's end, which a write that was cut off has left."""
    with path.open("r+b") as stream:
        size = end = stream.seek(0, os.SEEK_END)
        while end and os.pread(stream.fileno(), 1, end - 1) != b"\n":
            end -= 1
        if end < size:
            stream.truncate(end)


def _open_postgres(address: str, name: str) -> "tuple[BaseStorage, Claims]":
    scheme, mark, rest = address.partition("://")
    if not mark or scheme.partition("+")[0] not in ("postgresql", "postgres"):
        raise ConfigError(
            f"sweep.storage: found '{without_password(address)}', expected postgresql://..., or nothing for a file in "
            f"the sweep's folder."
        )
    if find_spec("psycopg") is None:
        raise ConfigError("sweep.storage: PostgreSQL needs the package psycopg, which is not installed. Install it.")
    from optuna.storages import RDBStorage, get_storage
    from sqlalchemy import NullPool, create_engine

    url = f"postgresql+psycopg://{rest}"
    with answering(address):
        # A claim's connection is its lock, so it is closed and never used again.
        engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT", connect_args=WAITS)
        # Of several processes that make the tables at once, all but one would fail.
        with PostgresClaims(engine, "tables").study():
            storage = RDBStorage(url, engine_kwargs={"pool_pre_ping": True, "connect_args": WAITS})
    return get_storage(storage), PostgresClaims(engine, name)


@contextmanager
def answering(address: str) -> Iterator[None]:
    """Turn what a server that does not answer raises into a ConfigError."""
    if not address:
        yield
        return
    from optuna.exceptions import StorageInternalError
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (SQLAlchemyError, StorageInternalError) as error:
        reason = str(error.__cause__ or error).strip().splitlines()[0]
        raise ConfigError(f"sweep.storage: {without_password(address)} does not answer ({reason}).") from error
