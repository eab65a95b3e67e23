"""Where a study is kept: Optuna's journal file in the sweep's folder, or PostgreSQL."""

import errno
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from pipeline.errors import ArtifactError
from pipeline.search.claims import Claims, FileClaims
from pipeline.search.postgres import open_postgres

if TYPE_CHECKING:
    from optuna.storages import BaseStorage

JOURNAL_FILE = "study.journal"


def open_storage(address: str, name: str, folder: Path) -> "tuple[BaseStorage, Claims]":
    """The storage of the study `name`, whose sweep has this folder, and the locks that go with it."""
    silence()
    if not address:
        return open_journal(folder / JOURNAL_FILE), FileClaims(folder / "claims")
    return open_postgres(address, name)


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
