"""Checkpoints: everything that a training carries from one epoch to the next, written whole or not at all.

They stand in the run's own folder, which is named by the run's identity, so a run with another configuration, other
data or other code never sees them. They are not outputs of a DVC stage, because DVC deletes those before it runs the
stage.
"""

import hashlib
import io
import json
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.files import replacing

FORMAT = 1
KEPT = 2  # if the last checkpoint is damaged, the one before it is still there
VALUES = "values"


@dataclass(frozen=True)
class Checkpoint:
    """A training after `epoch` epochs: JSON-like `values`, and lists of `arrays` by name."""

    epoch: int
    values: dict[str, Any]
    arrays: dict[str, list[NDArray[Any]]]


class Checkpoints:
    """The checkpoints in one run's folder. The caller must hold the run's lock, or only read (`writes` is False)."""

    def __init__(self, folder: Path, identity: str, writes: bool = True) -> None:
        self._folder, self._identity, self._writes = folder, identity, writes
        for leftover in folder.glob(".*") if writes else ():
            leftover.unlink()

    @cached_property
    def start(self) -> Checkpoint | None:
        """The checkpoint from which a training goes on. It is looked up once."""
        return self.latest()

    def latest(self) -> Checkpoint | None:
        """The last checkpoint that is whole; a damaged one is named on stderr and set aside, unless this only reads."""
        for path in self._paths():
            try:
                return self._read(path)
            except (ValueError, KeyError, OSError) as error:
                if not self._writes:
                    continue
                aside = path.with_suffix(".damaged")
                path.rename(aside)
                print(f"checkpoint {path} cannot be used ({error}); set aside as {aside.name}", file=sys.stderr)
        return None

    def save(self, checkpoint: Checkpoint) -> None:
        """Write a checkpoint, and remove all but the last two."""
        if not self._writes:
            return
        header = {"format": FORMAT, "identity": self._identity, "epoch": checkpoint.epoch, **checkpoint.values}
        named = {f"{name}/{i}": array for name, arrays in checkpoint.arrays.items() for i, array in enumerate(arrays)}
        stream = io.BytesIO()
        np.savez(stream, allow_pickle=False, **{VALUES: np.frombuffer(json.dumps(header).encode(), np.uint8)}, **named)
        content = stream.getvalue()
        with replacing(self._folder / f"epoch-{checkpoint.epoch:09d}.ckpt") as temporary:
            temporary.write_bytes(hashlib.sha256(content).hexdigest().encode() + b"\n" + content)
        for path in self._paths()[KEPT:]:
            path.unlink()

    def clear(self) -> None:
        """Remove all checkpoints. This is for when the training has ended and its output is in place."""
        for path in self._paths():
            path.unlink()

    def _paths(self) -> list[Path]:
        return sorted(self._folder.glob("epoch-*.ckpt"), reverse=True)

    def _read(self, path: Path) -> Checkpoint:
        digest, _, content = path.read_bytes().partition(b"\n")
        if hashlib.sha256(content).hexdigest().encode() != digest:
            raise ValueError("its digest does not fit its content: damaged or cut off")
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            values = json.loads(archive[VALUES].tobytes())
            found, identity = values.pop("format"), values.pop("identity")
            if found != FORMAT or identity != self._identity:
                raise ValueError(f"it is of format {found} and run {identity}, expected {FORMAT}, {self._identity}")
            arrays: dict[str, list[NDArray[Any]]] = {}
            for key in archive.files:
                if key != VALUES:
                    arrays.setdefault(key.rpartition("/")[0], []).append(archive[key])
        return Checkpoint(values.pop("epoch"), values, arrays)
