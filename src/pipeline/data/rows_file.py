"""Rows of one shape in a plain file that is read at random, for features that do not fit into memory."""

import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


class RowsFile:
    """(N, *shape) float32 on disk. Reads go through the system's page cache, which counts to no process's memory."""

    def __init__(self, path: Path, shape: tuple[int, ...], chunks: Iterable[NDArray[np.float32]]) -> None:
        self.shape = shape
        self._row_bytes = int(np.prod(shape)) * 4
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as stream:
            for chunk in chunks:
                stream.write(np.ascontiguousarray(chunk, np.float32).data)
        self._handle = os.open(path, os.O_RDONLY)
        # The open handle keeps the content until it is closed, or until this process ends, however it ends.
        path.unlink()
        self._num_rows = os.fstat(self._handle).st_size // self._row_bytes

    def __len__(self) -> int:
        return self._num_rows

    def take(self, rows_B: NDArray[np.int32]) -> NDArray[np.float32]:
        """The rows with these numbers, (B, *shape)."""
        size = self._row_bytes
        content = b"".join(os.pread(self._handle, size, int(row) * size) for row in rows_B)
        return np.frombuffer(content, np.float32).reshape(len(rows_B), *self.shape)

    def close(self) -> None:
        os.close(self._handle)
