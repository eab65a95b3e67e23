"""Mean and deviation of numbers. Preprocessing, heads, the trainer `exact` and the check of a dataset all use these."""

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def mean_and_deviation(chunks: Callable[[], Iterable[Array]]) -> tuple[Array, Array]:
    """Mean and population deviation (...) of rows (N, ...). Each call of `chunks()` gives all rows anew, in parts.

    Equal values have exactly themselves as their mean and a deviation of exactly 0. Without the comparison, the rounded
    mean of equal values need not be that value, and would leave them a deviation.
    """
    num_rows, total = 0, np.float64(0.0)
    low, high = np.float64(np.inf), np.float64(-np.inf)
    for chunk in chunks():
        low, high = np.minimum(low, chunk.min(axis=0)), np.maximum(high, chunk.max(axis=0))
        num_rows, total = num_rows + len(chunk), total + chunk.sum(axis=0)
    mean = np.where(low == high, low, total / num_rows)
    squares = sum(((chunk - mean) ** 2).sum(axis=0) for chunk in chunks())
    return mean, np.sqrt(squares / num_rows)


def stretch(deviation: Array) -> Array:
    """The number by which standardising divides: the deviation, or 1 for equal values, which are then centred but not
    stretched, as in scikit-learn's StandardScaler."""
    return np.where(deviation == 0, 1.0, deviation)


def as_tensorflow_reads(values: Array) -> Array:
    """The values as TensorFlow's kernels read them: what is below float64's smallest normal number is 0."""
    read: Array = np.where(np.abs(values) < np.finfo(np.float64).tiny, 0.0, values)
    return read
