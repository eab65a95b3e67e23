"""The features of rows as one matrix, for scikit-learn."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.data.prepared import Split
from pipeline.data.schema import Schema
from pipeline.data.types.clock import since_1970

Array = NDArray[np.float64]
MOST_CATEGORIES = 100


def design_matrices(schema: Schema, train: Split, test: Split) -> tuple[Array, Array]:
    """All features of the training and the test rows as vectors, (N, D) and (M, D), as a user of scikit-learn would
    make them: missing numbers are the training rows' mean and have a flag, and categories are one-hot."""
    parts: list[tuple[Array, Array]] = []
    for column in schema.features:
        one, other = (split.table[column.name].combine_chunks() for split in (train, test))
        if pa.types.is_fixed_size_list(one.type):
            parts.append((_pixels(one), _pixels(other)))
        elif pa.types.is_string(one.type):
            known = pc.value_counts(one.drop_null()).sort(order="descending", by="counts")
            names = known.field("values").slice(0, MOST_CATEGORIES)
            parts.append((_one_hot(one, names), _one_hot(other, names)))
        else:
            parts.append(_numbers(one, other))
    train_ND, test_MD = (np.concatenate([part[i] for part in parts], axis=1) for i in (0, 1))
    return train_ND, test_MD


def _pixels(values: pa.Array) -> Array:
    flat: Array = values.flatten().to_numpy(zero_copy_only=False).astype(np.float64)
    return flat.reshape(len(values), -1)


def _one_hot(values: pa.Array, names: pa.Array) -> Array:
    """(N, K + 1), of which the last column is for missing values."""
    found = np.zeros((len(values), len(names) + 1))
    code = pc.index_in(values, names)
    number = code.fill_null(-1).to_numpy(zero_copy_only=False)
    found[np.flatnonzero(number >= 0), number[number >= 0]] = 1.0
    found[:, -1] = values.is_null().to_numpy(zero_copy_only=False)
    return found


def _numbers(train: pa.Array, test: pa.Array) -> tuple[Array, Array]:
    """Numbers, booleans, and dates as days or microseconds, (N, 1) and (M, 1), or with a flag (N, 2) and (M, 2)."""
    one, other = (as_floats(values) for values in (train, test))
    usual = pc.mean(one).as_py() or 0.0
    flagged = train.null_count > 0

    def filled(values: pa.Array) -> Array:
        numbers = values.fill_null(usual).to_numpy(zero_copy_only=False)
        flags = values.is_null().to_numpy(zero_copy_only=False).astype(np.float64)
        return np.stack([numbers, flags] if flagged else [numbers], axis=1)

    return filled(one), filled(other)


def as_floats(values: pa.Array) -> pa.Array:
    """Numbers, booleans as 0 and 1, and dates as days or microseconds, as float64; null stays null."""
    plain = values.cast(pa.int8()) if pa.types.is_boolean(values.type) else since_1970(values)
    return plain.cast(pa.float64(), safe=False)
