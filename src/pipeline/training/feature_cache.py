"""Features on disk. They are made once for the same data and preprocessing, and the jobs of a sweep, or a run that goes
on, find them here."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
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


def cached(folder: Path, make: Callable[[], Iterator[Chunk]], most_bytes: int) -> dict[str, RowsFile]:
    """The features of a split by name, from the files in `folder`, which are made if they are not there.

    Whoever makes them waits for nobody else to make the same. Afterwards the folders beside it that were used longest
    ago are removed, until all of them take no more than `most_bytes`.
    """
    with locks.hold(folder.with_name(f"{folder.name}.lock"), f"the features {folder.name}"):
        if not (folder / INDEX).is_file():
            _write(folder, make())
        os.utime(folder)
        index = json.loads((folder / INDEX).read_text(encoding="utf-8"))
        found = {name: RowsFile(folder / name, tuple(entry["shape"]), entry["dtype"]) for name, entry in index.items()}
    _clean(folder.parent, most_bytes)
    return found


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


def _clean(parent: Path, most_bytes: int) -> None:
    """A process that has opened the files of a folder can go on reading them after they are removed."""
    sizes = {}
    for folder in parent.iterdir():
        if folder.is_dir() and folder.suffix != PARTIAL:
            sizes[folder] = (folder.stat().st_mtime, sum(file.stat().st_size for file in folder.iterdir()))
    total = sum(size for _, size in sizes.values())
    for folder, (_, size) in sorted(sizes.items(), key=lambda entry: entry[1]):
        if total <= most_bytes:
            return
        shutil.rmtree(folder, ignore_errors=True)
        total -= size
