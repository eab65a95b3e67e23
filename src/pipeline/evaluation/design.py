"""The features of rows as one matrix, for scikit-learn."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
from scipy.sparse import hstack

from pipeline.data.prepared import Split
from pipeline.data.schema import Schema
from pipeline.evaluation.designs import design_of
from pipeline.evaluation.designs.design import Encoder

# It turns rows, some at a time, into vectors (n, D): an array, or a sparse one of SciPy's where there are texts.
Design = Callable[[pa.Table], Any]


def linear_design(schema: Schema, train: Split) -> Design:
    """Vectors as a user of scikit-learn would make them for a linear model: what the columns become, side by side
    (evaluation/designs/). All of it is standardised, but for sparse matrices."""
    from sklearn.preprocessing import StandardScaler

    encoders: dict[str, Encoder] = {}
    parts: list[Design] = []
    for column in schema.features:
        design = design_of(column)
        encode = design.make(column, train.table[column.name].combine_chunks())
        if encode is not None and design.sparse:
            parts.append(_of_column(column.name, encode))
        elif encode is not None:
            encoders[column.name] = encode
    if encoders:
        plain = side_by_side(encoders)
        # Without scaling, a column as large as a moment in microseconds would leave nothing of the others.
        scaler = StandardScaler().fit(plain(train.table))
        parts = [lambda table: scaler.transform(plain(table)), *parts]
    if not parts:
        return lambda table: np.zeros((table.num_rows, 1))
    return parts[0] if len(parts) == 1 else lambda table: hstack([part(table) for part in parts], format="csr")


def _of_column(name: str, encode: Encoder) -> Design:
    return lambda table: encode(table[name].combine_chunks())


def side_by_side(encoders: dict[str, Encoder]) -> Design:
    """The matrices of all columns as one; `encoders` are by the name of the column."""
    return lambda table: np.concatenate(
        [encode(table[name].combine_chunks()) for name, encode in encoders.items()], axis=1
    )
