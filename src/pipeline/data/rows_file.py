"""Rows of one shape in a plain file that is read at random, for features that do not fit into memory."""

import mmap
import os
from pathlib import Path

import numpy as np
from numpy.typing import DTypeLike, NDArray


class RowsFile:
    """(N, *shape) on disk. Reads go through the system's page cache, which counts to no process's memory.

    The file stays readable until `close`, and what `all` returns as long as it is used, though the file may be deleted
    meanwhile.
    """

    def __init__(self, path: Path, shape: tuple[int, ...], dtype: DTypeLike) -> None:
        self.shape, self.dtype = shape, np.dtype(dtype)
        self.row_bytes = int(np.prod(shape)) * self.dtype.itemsize
        self._handle = os.open(path, os.O_RDONLY)
        self._num_rows = os.fstat(self._handle).st_size // self.row_bytes

    def __len__(self) -> int:
        return self._num_rows

    def take(self, rows_B: NDArray[np.int32]) -> NDArray[np.generic]:
        """The rows with these numbers, (B, *shape)."""
        size = self.row_bytes
        content = b"".join(os.pread(self._handle, size, int(row) * size) for row in rows_B)
        return np.frombuffer(content, self.dtype).reshape(len(rows_B), *self.shape)

    def all(self) -> NDArray[np.generic]:
        """All rows, mapped into memory."""
        content = mmap.mmap(self._handle, self._num_rows * self.row_bytes, access=mmap.ACCESS_READ)
        return np.frombuffer(content, self.dtype).reshape(self._num_rows, *self.shape)

    def close(self) -> None:
        os.close(self._handle)
