"""Stored predictions of a test split."""

from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.data.prepared import ROW, AnySplit, SplitFile, read_table
from pipeline.data.sampling import sample
from pipeline.data.schema import Schema
from pipeline.data.unusual import most_unusual_input
from pipeline.errors import ArtifactError, DataError
from pipeline.evaluation.reference import most_rows
from pipeline.tasks import TASKS


def read_predictions(path: Path, schema: Schema, test: SplitFile, train: AnySplit) -> NDArray[np.float64]:
    """Predictions (N,) or (N, K) for exactly the rows of `test`, in its order.

    Raises ArtifactError for a file with other rows or columns. Raises DataError for predictions that are not finite;
    its text names the input that is farthest from the `train` rows, which are read for that alone.
    """
    table = read_table(path)
    task = TASKS[schema.task]
    wanted = task.columns(schema.classes)
    if table.column_names != [ROW, *wanted]:
        found = ", ".join(table.column_names)
        raise ArtifactError(f"{path}: found columns {found}, expected {', '.join([ROW, *wanted])}. Train again.")
    if not table[ROW].equals(test.row_ids):
        raise ArtifactError(f"{path}: its rows are not those of the test split. Run: dvc repro")
    columns = {name: table[name].to_numpy() for name in wanted if pa.types.is_floating(table[name].type)}
    bad_N = np.zeros(test.num_rows, bool)
    for values in columns.values():
        bad_N |= ~np.isfinite(values)
    if bad_N.any():
        row, count = int(bad_N.argmax()), int(bad_N.sum())
        name, value = next((name, v[row]) for name, v in columns.items() if not np.isfinite(v[row]))
        unusual = most_unusual_input(test.row(row), sample(train, most_rows(schema)))
        raise DataError(
            f"{path}: '{name}' of test row {test.row_ids[row]} is {value}, expected a finite "
            f"number ({count} of {test.num_rows} rows are not). In that row, {unusual}. Mend or drop such rows in the "
            "source, or train again."
        )
    return task.answers(columns, schema.classes)
