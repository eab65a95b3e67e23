"""Stored predictions of a test split."""

from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.data.prepared import ROW, Split, read_table
from pipeline.data.schema import Schema
from pipeline.data.unusual import most_unusual_input
from pipeline.errors import ArtifactError, DataError
from pipeline.tasks import TASKS


def read_predictions(path: Path, schema: Schema, test: Split, train: Split) -> NDArray[np.float64]:
    """Predictions (N,) or (N, K) for exactly the rows of `test`, in its order.

    Raises ArtifactError for a file with other rows or columns. Raises DataError for predictions that are not finite;
    its text names the input that is farthest from the `train` rows.
    """
    table = read_table(path)
    wanted = TASKS[schema.task].columns(len(schema.classes))
    if table.column_names != [ROW, *wanted]:
        found = ", ".join(table.column_names)
        raise ArtifactError(f"{path}: found columns {found}, expected {', '.join([ROW, *wanted])}. Train again.")
    if not table[ROW].equals(pa.chunked_array([pa.array(test.rows)])):
        raise ArtifactError(f"{path}: its rows are not those of the test split. Run: dvc repro")
    columns: list[NDArray[np.float64]] = [table[name].to_numpy().astype(np.float64) for name in wanted]
    answers = np.stack(columns, axis=1)
    bad = np.argwhere(~np.isfinite(answers))
    if len(bad):
        row, column = bad[0]
        count, unusual = len(set(bad[:, 0])), most_unusual_input(test, row, train)
        raise DataError(
            f"{path}: '{wanted[column]}' of test row {test.rows[row]} is {answers[row, column]}, expected a finite "
            f"number ({count} of {test.num_rows} rows are not). In that row, {unusual}. Mend or drop such rows in the "
            "source, or train again."
        )
    return TASKS[schema.task].answers(columns)
