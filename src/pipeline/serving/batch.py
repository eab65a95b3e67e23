"""Batch prediction with a served model, from raw rows to predictions by row id."""

from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pipeline.data.prepared import ROW, AnySplit
from pipeline.data.schema import Schema
from pipeline.files import replacing
from pipeline.tasks import TASKS, task_of_model
from pipeline.tasks.scores import estimates

if TYPE_CHECKING:
    import keras

PREDICT_BATCH = 1024


def predict(served: "keras.Model", inputs: dict[str, NDArray[Any]]) -> dict[str, NDArray[np.float32]]:
    """The predictions for raw inputs: for each column of the model's task, its values (N,) as float32."""
    answers = np.asarray(served.predict(inputs, batch_size=PREDICT_BATCH, verbose=0), np.float32)
    answers = answers.reshape(len(answers), -1)
    return task_of_model(served.layers[-1].name, answers.shape[1]).by_column(answers)


def metrics_of(served: "keras.Model", split: AnySplit, schema: Schema) -> dict[str, float]:
    """The value of each test metric of the task, for a served model's answers to all rows of a split."""
    task = TASKS[schema.task]
    parts = [predict(served, chunk.inputs) for chunk in split.chunks()]
    columns = [np.concatenate([part[name] for part in parts]) for name in parts[0]]
    return estimates(task.scores(split.target, task.answers(columns)))


def write_split_predictions(path: Path, served: "keras.Model", split: AnySplit) -> None:
    """Write a served model's predictions for all rows of a split, by row id."""
    write_predictions(path, ((chunk.rows, predict(served, chunk.inputs)) for chunk in split.chunks()))


def write_predictions(path: Path, chunks: Iterable[tuple[NDArray[Any], dict[str, NDArray[np.float32]]]]) -> None:
    """Write one line for each row id, in the given order. A chunk holds row ids, and their predictions by column."""
    with replacing(path) as temporary, ExitStack() as stack:
        writer = None
        for rows, predictions in chunks:
            columns = {ROW: pa.array([str(row) for row in rows], pa.string())}
            table = pa.table(columns | {name: pa.array(values) for name, values in predictions.items()})
            writer = writer or stack.enter_context(pq.ParquetWriter(temporary, table.schema))
            writer.write_table(table)
        stack.close()
