"""Weights of rows for resampling, a few resamples at a time, so that memory does not grow with their number.

Each function yields (r, N) arrays: r resamples of N rows, where r is as many as CHUNK_BYTES hold. Random numbers are
drawn in the order of the resamples, so no resample depends on the size of a chunk.

With `unit_N`, the number of each row's unit from 0, whole units are resampled: all rows of a unit have its weight.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from pipeline.data.order import generator

Array = NDArray[np.float64]
UnitOfRow = NDArray[np.int64]

CHUNK_BYTES = 2**25
MOST_LEFT_OUT = 500
BOOTSTRAP, BAYESIAN = 0, 1  # each has a stream of random numbers of its own


def bootstrap_weights(num_rows: int, resamples: int, seed: int, unit_N: UnitOfRow | None = None) -> Iterator[Array]:
    """The bootstrap: how often each row stands in a resample of N rows drawn with replacement (Efron 1979)."""
    random, num_units = generator(seed, BOOTSTRAP), _num_units(num_rows, unit_N)
    for count in _counts(num_rows, resamples):
        weights = np.empty((count, num_units))
        for row in weights:
            row[:] = np.bincount(random.integers(0, num_units, num_units), minlength=num_units)
        yield _of_rows(weights, unit_N)


def bayesian_weights(num_rows: int, resamples: int, seed: int, unit_N: UnitOfRow | None = None) -> Iterator[Array]:
    """The Bayesian bootstrap: weights that, divided by their sum, follow Dirichlet(1, ..., 1) (Rubin 1981)."""
    random, num_units = generator(seed, BAYESIAN), _num_units(num_rows, unit_N)
    for count in _counts(num_rows, resamples):
        yield _of_rows(random.standard_exponential((count, num_units)), unit_N)


def jackknife_weights(num_rows: int, unit_N: UnitOfRow | None = None) -> Iterator[Array]:
    """The jackknife: each resample leaves one row out, or one of MOST_LEFT_OUT equal parts of the rows where there are
    more rows than that. A single row is not left out."""
    num_units = _num_units(num_rows, unit_N)
    if num_units == 1:
        yield np.ones((1, num_rows))
        return
    parts = min(num_units, MOST_LEFT_OUT)
    part_N = (np.arange(num_rows) if unit_N is None else unit_N) * parts // num_units
    first = 0
    for count in _counts(num_rows, parts):
        yield (part_N != np.arange(first, first + count)[:, np.newaxis]).astype(np.float64)
        first += count


def _num_units(num_rows: int, unit_N: UnitOfRow | None) -> int:
    return num_rows if unit_N is None else int(unit_N.max()) + 1


def _of_rows(weights_RU: Array, unit_N: UnitOfRow | None) -> Array:
    """The weight of each row (R, N), from those of the units."""
    return weights_RU if unit_N is None else weights_RU[:, unit_N]


def _counts(num_rows: int, resamples: int) -> Iterator[int]:
    size = max(1, CHUNK_BYTES // (8 * num_rows))
    for start in range(0, resamples, size):
        yield min(size, resamples - start)
