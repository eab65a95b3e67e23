"""Weights of rows for resampling, a few resamples at a time, so that memory does not grow with their number.

Each function yields (r, N) arrays: r resamples of N rows, where r is as many as CHUNK_BYTES hold. Random numbers are
drawn in the order of the resamples, so no resample depends on the size of a chunk.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from pipeline.data.order import generator

Array = NDArray[np.float64]

CHUNK_BYTES = 2**25
MOST_GROUPS = 500
BOOTSTRAP, BAYESIAN = 0, 1  # each has a stream of random numbers of its own


def bootstrap_weights(num_rows: int, resamples: int, seed: int) -> Iterator[Array]:
    """The bootstrap: how often each row stands in a resample of N rows drawn with replacement (Efron 1979)."""
    random = generator(seed, BOOTSTRAP)
    for count in _counts(num_rows, resamples):
        weights = np.empty((count, num_rows))
        for row in weights:
            row[:] = np.bincount(random.integers(0, num_rows, num_rows), minlength=num_rows)
        yield weights


def bayesian_weights(num_rows: int, resamples: int, seed: int) -> Iterator[Array]:
    """The Bayesian bootstrap: weights that, divided by their sum, follow Dirichlet(1, ..., 1) (Rubin 1981)."""
    random = generator(seed, BAYESIAN)
    for count in _counts(num_rows, resamples):
        yield random.standard_exponential((count, num_rows))


def jackknife_weights(num_rows: int) -> Iterator[Array]:
    """The jackknife: each resample leaves one row out, or one of MOST_GROUPS groups of rows where there are more rows
    than that. A single row is not left out."""
    if num_rows == 1:
        yield np.ones((1, 1))
        return
    groups = min(num_rows, MOST_GROUPS)
    group_N = np.arange(num_rows) * groups // num_rows
    first = 0
    for count in _counts(num_rows, groups):
        yield (group_N != np.arange(first, first + count)[:, np.newaxis]).astype(np.float64)
        first += count


def _counts(num_rows: int, resamples: int) -> Iterator[int]:
    size = max(1, CHUNK_BYTES // (8 * num_rows))
    for start in range(0, resamples, size):
        yield min(size, resamples - start)
