"""Digests of all rows in a file, so that memory need not hold those of many millions of rows at a time."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.data.digests import Digests

SLICE = 2**20  # so many digests, which take 8 MiB, are in memory at a time
_HALF = np.uint64(32)


class DigestFile:
    """Digests (N,) in the order of their rows. What is asked of all of them is found out bucket by bucket: a bucket has
    those of a range of values, so equal digests are in one bucket."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.num_rows = 0
        path.write_bytes(b"")

    def append(self, digests: Digests) -> None:
        with self._path.open("ab") as stream:
            stream.write(np.ascontiguousarray(digests).data)
        self.num_rows += len(digests)

    def slices(self) -> Iterator[Digests]:
        """All digests, some at a time."""
        for start in range(0, self.num_rows, SLICE):
            yield self.read(start, SLICE)

    def read(self, start: int, num_rows: int) -> Digests:
        """The digests of so many rows from row number `start` (from 0), or of as many as there are."""
        return np.fromfile(self._path, np.uint64, num_rows, offset=8 * start)

    def repeated(self) -> Digests:
        """Those that occur more than once, each once and in ascending order."""
        found = []
        for ordered in self._buckets():
            again = ordered[1:][ordered[1:] == ordered[:-1]]
            found.append(again[_is_new(again)])
        return np.concatenate(found)

    def num_distinct(self) -> int:
        """How many different digests there are."""
        return sum(num_distinct(ordered) for ordered in self._buckets())

    def _buckets(self) -> Iterator[Digests]:
        """The digests of each bucket, in ascending order. Digests are spread evenly, so a bucket has about SLICE, and
        more only where one digest occurs very often."""
        count = self.num_rows // SLICE + 1
        for bucket in range(count):
            # The upper half of the bits suffices to tell the bucket: n of 2^32 values goes to n * count // 2^32.
            parts = [part[(part >> _HALF) * np.uint64(count) >> _HALF == bucket] for part in self.slices()]
            ordered = np.concatenate([*parts, np.empty(0, np.uint64)])
            ordered.sort()
            yield ordered


def num_distinct(ordered: Digests) -> int:
    """How many different digests there are among some in ascending order."""
    return int(np.count_nonzero(_is_new(ordered)))


def _is_new(ordered: Digests) -> NDArray[np.bool_]:
    """Whether each of these digests in order differs from the one before it."""
    return np.append(True, ordered[1:] != ordered[:-1])[: len(ordered)]
