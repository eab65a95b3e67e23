"""The features of rows as one matrix for scikit-learn's gradient boosting, which takes missing values and categories as
they are. It is for tables: columns of which each value is one number, date or category."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.data.prepared import Split
from pipeline.data.schema import Column, Schema
from pipeline.data.types.category import Category
from pipeline.evaluation.design import Design, side_by_side
from pipeline.evaluation.designs.design import Encoder
from pipeline.evaluation.designs.plain import as_floats, most_frequent

Array = NDArray[np.float64]
MOST_CATEGORIES = 255  # of a column; scikit-learn takes no more
# Fitting takes a time of about (rows * columns + PER_TREE) * trees in each round. MOST_WORK is about 20 s on two cores.
PER_TREE, MOST_WORK = 200_000, 10_000_000
LEAST_ROWS = 1000


def most_rows(schema: Schema) -> int:
    """How many rows can be fitted in seconds; 0 for a dataset that is no table, or has too many classes."""
    columns = _columns(schema)
    if not columns or any(column.type.is_content for column in schema.features):
        return 0
    rows = int((MOST_WORK / schema.num_outputs - PER_TREE) / len(columns))
    return rows if rows >= LEAST_ROWS else 0


def tree_design(schema: Schema, train: Split) -> tuple[Design, list[int]]:
    """One number for each column, NaN where a value is missing; and the places of the columns with categories. Texts
    are left out."""
    columns = _columns(schema)
    encoders = {column.name: _encoder(column, train.table[column.name].combine_chunks()) for column in columns}
    return side_by_side(encoders), [i for i, column in enumerate(columns) if _has_categories(column)]


def _columns(schema: Schema) -> list[Column]:
    return [column for column in schema.features if _has_categories(column) or not pa.types.is_string(column.storage)]


def _has_categories(column: Column) -> bool:
    return isinstance(column.type, Category)


def _encoder(column: Column, train: pa.Array) -> Encoder:
    """The most frequent categories of the training rows are numbers; any other category counts as missing."""
    if train.null_count == len(train):
        # scikit-learn refuses a column without any value
        return lambda values: np.zeros((len(values), 1))
    if _has_categories(column):
        known = most_frequent(train, MOST_CATEGORIES)
        return lambda values: _with_nan(pc.index_in(values, known))
    return lambda values: _with_nan(as_floats(values))


def _with_nan(values: pa.Array) -> Array:
    numbers: Array = values.cast(pa.float64()).fill_null(np.nan).to_numpy(zero_copy_only=False)
    return numbers[:, np.newaxis]
