"""What a plain scikit-learn model answers on the same split, fitted on the training rows alone.

It learns from at most MOST_ROWS of them. More rows would take minutes and change its score little.
"""

import numpy as np
from numpy.typing import NDArray

from pipeline.data.prepared import Split
from pipeline.data.schema import Schema
from pipeline.tasks import TASKS

Array = NDArray[np.float64]
MOST_ROWS = 50_000


def flat_inputs(split: Split, schema: Schema) -> Array:
    """All raw inputs of each row as one vector: (N, D)."""
    columns = [split.inputs[f.name].reshape(split.num_rows, -1) for f in schema.features]
    return np.concatenate(columns, axis=1).astype(np.float64)


def reference(schema: Schema, train: Split, test: Split) -> tuple[str, Array]:
    """Name and answers to the test rows of a plain scikit-learn model, (N,) or (N, K)."""
    return TASKS[schema.task].reference(
        flat_inputs(train, schema), train.target, flat_inputs(test, schema), len(schema.classes)
    )
