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

    def num_outvoted(self, others: "DigestFile") -> int:
        """How many rows do not have the digest in `others`, a file of as many rows, that is the most frequent one among
        the rows whose digest here is the same."""
        count = self.num_rows // SLICE + 1
        return sum(num_outvoted(*self._both_in(others, bucket, count)) for bucket in range(count))

    def _both_in(self, others: "DigestFile", bucket: int, count: int) -> tuple[Digests, Digests]:
        """The digests (N,) of a bucket, in the order of their rows, and those of the same rows in another file."""
        mine, theirs = [np.empty(0, np.uint64)], [np.empty(0, np.uint64)]
        for one, other in zip(self.slices(), others.slices(), strict=True):
            chosen = _is_in(one, bucket, count)
            mine.append(one[chosen])
            theirs.append(other[chosen])
        return np.concatenate(mine), np.concatenate(theirs)

    def _buckets(self) -> Iterator[Digests]:
        """The digests of each bucket, in ascending order. Digests are spread evenly, so a bucket has about SLICE, and
        more only where one digest occurs very often."""
        count = self.num_rows // SLICE + 1
        for bucket in range(count):
            parts = [part[_is_in(part, bucket, count)] for part in self.slices()]
            ordered = np.concatenate([*parts, np.empty(0, np.uint64)])
            ordered.sort()
            yield ordered


def num_distinct(ordered: Digests) -> int:
    """How many different digests there are among some in ascending order."""
    return int(np.count_nonzero(_is_new(ordered)))


def num_outvoted(digests: Digests, others: Digests) -> int:
    """How many of N rows do not have the one of `others` (N,) that is the most frequent one among the rows whose digest
    (N,) is the same."""
    order = np.lexsort((others, digests))
    digests, others = digests[order], others[order]
    starts = np.flatnonzero(_is_new(digests) | _is_new(others))  # of each pair
    counts = np.diff(np.append(starts, len(digests)))
    firsts = np.flatnonzero(_is_new(digests[starts]))  # of the pairs of each digest
    return len(digests) - int(np.maximum.reduceat(counts, firsts).sum()) if len(firsts) else 0


def _is_in(digests: Digests, bucket: int, count: int) -> NDArray[np.bool_]:
    """Whether each of these digests (N,) is in one of so many buckets."""
    # The upper half of the bits suffices to tell the bucket: n of 2^32 values goes to n * count // 2^32.
    chosen: NDArray[np.bool_] = (digests >> _HALF) * np.uint64(count) >> _HALF == bucket
    return chosen


def _is_new(ordered: Digests) -> NDArray[np.bool_]:
    """Whether each of these digests in order differs from the one before it."""
    return np.append(True, ordered[1:] != ordered[:-1])[: len(ordered)]
