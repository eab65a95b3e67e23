"""Numbers, booleans, dates and categories, and the lists of numbers that images and series are stored as."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.data.schema import Column
from pipeline.data.types.clock import since_1970
from pipeline.evaluation.designs.design import ColumnDesign, Encoder

Array = NDArray[np.float64]
MOST_CATEGORIES = 100


def encoder(column: Column, train: pa.Array) -> Encoder | None:
    """Missing numbers are the training rows' mean and have a flag, and categories are one-hot. None for what is stored
    as neither, nor as lists of numbers."""
    kind = train.type
    if pa.types.is_fixed_size_list(kind):
        return _lists
    if pa.types.is_string(kind):
        return _one_hot(train)
    return _numbers(train) if pa.types.is_primitive(kind) else None


def _lists(values: pa.Array) -> Array:
    flat: Array = values.flatten().to_numpy(zero_copy_only=False).astype(np.float64)
    return flat.reshape(len(values), -1)


def _one_hot(train: pa.Array) -> Encoder:
    """A column for each of the most frequent categories, and one for missing values."""
    names = most_frequent(train, MOST_CATEGORIES)

    def encode(values: pa.Array) -> Array:
        found = np.zeros((len(values), len(names) + 1))
        number = pc.index_in(values, names).fill_null(-1).to_numpy(zero_copy_only=False)
        found[np.flatnonzero(number >= 0), number[number >= 0]] = 1.0
        found[:, -1] = values.is_null().to_numpy(zero_copy_only=False)
        return found

    return encode


def _numbers(train: pa.Array) -> Encoder:
    """Numbers, booleans, and dates as days or microseconds, (n, 1), or with a flag (n, 2)."""
    usual, flagged = pc.mean(as_floats(train)).as_py() or 0.0, train.null_count > 0

    def encode(values: pa.Array) -> Array:
        numbers = as_floats(values).fill_null(usual).to_numpy(zero_copy_only=False)
        flags = values.is_null().to_numpy(zero_copy_only=False).astype(np.float64)
        return np.stack([numbers, flags] if flagged else [numbers], axis=1)

    return encode


def most_frequent(values: pa.Array, most: int) -> pa.Array:
    """The values that occur most often, without null."""
    found = pc.value_counts(values.drop_null()).sort(order="descending", by="counts")
    return found.field("values").slice(0, most)


def as_floats(values: pa.Array) -> pa.Array:
    """Numbers, booleans as 0 and 1, and dates as days or microseconds, as float64; null stays null."""
    plain = values.cast(pa.int8()) if pa.types.is_boolean(values.type) else since_1970(values)
    return plain.cast(pa.float64(), safe=False)


DESIGN = ColumnDesign(encoder)
