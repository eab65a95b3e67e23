"""The features of rows as one matrix for scikit-learn's gradient boosting, which takes missing values and categories as
they are. It is for tables: columns of which each value is one number, date or category."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.data.prepared import Split
from pipeline.data.schema import Column, Schema
from pipeline.data.types.category import Category
from pipeline.evaluation.design import as_floats

Array = NDArray[np.float64]
MOST_CATEGORIES = 255  # of a column; scikit-learn takes no more
# Fitting takes a time of about (rows * columns + PER_TREE) * trees in each round. MOST_WORK is about 20 s on two cores.
PER_TREE, MOST_WORK = 200_000, 10_000_000


def takes(schema: Schema, num_rows: int) -> bool:
    """Whether a dataset is a table, and small enough to be fitted in seconds."""
    columns = _columns(schema)
    if not columns or any(pa.types.is_nested(column.storage) for column in schema.features):
        return False
    return (num_rows * len(columns) + PER_TREE) * schema.num_outputs <= MOST_WORK


def matrices(schema: Schema, train: Split, test: Split) -> tuple[Array, Array, list[int]]:
    """The columns of the training and the test rows, (N, D) and (M, D), with NaN where a value is missing; and the
    places of the columns with categories. Texts are left out."""
    columns = _columns(schema)
    pairs = []
    for column in columns:
        one, other = (split.table[column.name].combine_chunks() for split in (train, test))
        if one.null_count == len(one):
            # scikit-learn refuses a column without any value
            one, other = (pa.array(np.zeros(len(values))) for values in (one, other))
        pairs.append(_codes(one, other) if _has_categories(column) else _numbers(one, other))
    train_ND, test_MD = (np.stack([pair[i] for pair in pairs], axis=1) for i in (0, 1))
    return train_ND, test_MD, [i for i, column in enumerate(columns) if _has_categories(column)]


def _columns(schema: Schema) -> list[Column]:
    return [column for column in schema.features if _has_categories(column) or not pa.types.is_string(column.storage)]


def _has_categories(column: Column) -> bool:
    return isinstance(column.type, Category)


def _numbers(train: pa.Array, test: pa.Array) -> tuple[Array, Array]:
    return _with_nan(as_floats(train)), _with_nan(as_floats(test))


def _codes(train: pa.Array, test: pa.Array) -> tuple[Array, Array]:
    """Numbers for the most frequent categories of the training rows; any other category counts as missing."""
    found = pc.value_counts(train.drop_null()).sort(order="descending", by="counts")
    known = found.field("values").slice(0, MOST_CATEGORIES)
    return _with_nan(pc.index_in(train, known)), _with_nan(pc.index_in(test, known))


def _with_nan(values: pa.Array) -> Array:
    numbers: Array = values.cast(pa.float64()).fill_null(np.nan).to_numpy(zero_copy_only=False)
    return numbers
