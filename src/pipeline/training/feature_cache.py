"""Features on disk. They are made once for the same data and preprocessing, and the jobs of a sweep, or a run that goes
on, find them here."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline import locks
from pipeline.data.rows_file import RowsFile
from pipeline.files import PARTIAL, replacing_folder, write_json

INDEX = "features.json"
# By name, the features (n, ...) of some rows.
Chunk = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class FeatureCache:
    """The folders of the features of a training, one for each split, whose names begin with `start`. All folders beside
    them take `most_bytes` at most, unless a single one is larger."""

    start: Path
    most_bytes: int

    def features(self, split: str, make: Callable[[], Iterator[Chunk]]) -> dict[str, RowsFile]:
        """The features of a split by name. They are made if they are not there.

        Whoever comes while another process makes the same waits for it. Afterwards the folders that were used longest
        ago are removed, where all of them take too much.
        """
        folder = self.start.with_name(f"{self.start.name}.{split}")
        with locks.hold(_lock_of(folder), f"the features {folder.name}"):
            if not (folder / INDEX).is_file():
                _remove_partial(folder)
                _write(folder, make())
            os.utime(folder)
            index = json.loads((folder / INDEX).read_text(encoding="utf-8"))
            found = {name: RowsFile(folder / name, tuple(of["shape"]), of["dtype"]) for name, of in index.items()}
        _clean(folder, self.most_bytes)
        return found


def _lock_of(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.lock")


def _write(folder: Path, chunks: Iterator[Chunk]) -> None:
    index: dict[str, Any] = {}
    with replacing_folder(folder) as fresh, ExitStack() as stack:
        streams = {}
        for chunk in chunks:
            for name, values in chunk.items():
                if name not in streams:
                    streams[name] = stack.enter_context((fresh / name).open("wb"))
                    index[name] = {"shape": values.shape[1:], "dtype": values.dtype.name}
                streams[name].write(np.ascontiguousarray(values).data)
        stack.close()
        write_json(fresh / INDEX, index)


def _clean(kept: Path, most_bytes: int) -> None:
    """Remove what a kill has left, and then folders other than `kept`, until all take no more than `most_bytes`. What
    another process holds stays. One that has opened the files of a folder can read them after they are removed."""
    parent = kept.parent
    folders = [folder for folder in parent.iterdir() if folder.is_dir()]
    for name in {folder.name[1:].rsplit(".", 2)[0] for folder in folders if folder.suffix == PARTIAL}:
        with locks.held_if_free(_lock_of(parent / name)) as free:
            if free:
                _remove_partial(parent / name)
    used = sorted((_last_use(folder), _size(folder), folder) for folder in folders if folder.suffix != PARTIAL)
    total = sum(size for _, size, _ in used)
    for _, size, folder in used:
        if total > most_bytes and folder != kept:
            with locks.held_if_free(_lock_of(folder)) as free:
                if free:
                    shutil.rmtree(folder, ignore_errors=True)
                    total -= size
    _remove_locks(parent)


def _remove_locks(parent: Path) -> None:
    """Remove the lock files of folders that are gone. Whoever waits for one meanwhile makes it anew: a lock on a file
    that was removed is no lock to filelock."""
    for lock in parent.glob("*.lock"):
        if not lock.with_suffix("").is_dir():
            with locks.held_if_free(lock) as free:
                if free and not lock.with_suffix("").is_dir():
                    lock.unlink(missing_ok=True)


def _remove_partial(folder: Path) -> None:
    """Remove what a process has left that was killed while it made this folder. The caller holds the folder's lock."""
    for partial in folder.parent.glob(f".{folder.name}.*{PARTIAL}"):
        shutil.rmtree(partial, ignore_errors=True)


def _last_use(folder: Path) -> float:
    """0 for a folder that another process has just removed."""
    try:
        return folder.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _size(folder: Path) -> int:
    """The bytes of all files of a folder, 0 for one that another process has just removed."""
    try:
        return sum(file.stat().st_size for file in folder.iterdir())
    except FileNotFoundError:
        return 0
