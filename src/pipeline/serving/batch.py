"""What a served model answers to rows: the class or number of each row, and how probable each class is."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.csv as pcsv
import pyarrow.parquet as pq

from pipeline.data.prepared import ROW, AnySplit, chunk_rows
from pipeline.data.reading import MOST_PLACES
from pipeline.data.schema import Schema
from pipeline.errors import DataError
from pipeline.files import replacing
from pipeline.model.inputs.features import as_tensors, collate
from pipeline.tasks import TASKS
from pipeline.tasks.scores import estimates
from pipeline.tasks.task import Named

if TYPE_CHECKING:
    import keras

PREDICT_BATCH = 1024


def predict(served: "keras.Model", schema: Schema, rows: pa.Table) -> Named:
    """The answers to rows whose features are in the storage of their types: the values (N,) of each column of the
    model's task."""
    task = TASKS[schema.task]
    if not rows.num_rows:
        return task.by_column(np.zeros((0, schema.num_outputs), np.float32), schema.classes)
    # Values between layers take many times what the rows do, so fewer large rows go through the model at a time.
    size = min(PREDICT_BATCH, chunk_rows(schema.row_bytes))
    parts = []
    for start in range(0, rows.num_rows, size):
        inputs = as_tensors(collate(schema, rows.slice(start, size)))
        # `predict` would cast all numbers to float32 before the model sees them.
        parts.append(np.asarray(served.predict_on_batch(inputs), np.float32))
    answers = np.concatenate(parts)
    return task.by_column(answers.reshape(len(answers), -1), schema.classes)


def metrics_of(served: "keras.Model", split: AnySplit, schema: Schema) -> dict[str, float]:
    """The value of each test metric of the task, for a served model's answers to all rows of a split."""
    task = TASKS[schema.task]
    parts = [predict(served, schema, chunk.table) for chunk in split.chunks()]
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return estimates(task.scores(split.target, task.answers(columns, schema.classes)))


def write_split_predictions(path: Path, served: "keras.Model", schema: Schema, split: AnySplit) -> None:
    """Write a served model's answers to all rows of a split, by row id."""
    chunks = split.chunks()
    write_predictions(path, ((ids_of(chunk.rows), predict(served, schema, chunk.table)) for chunk in chunks))


Chunk = tuple[pa.Table, Named]  # columns that say which rows they are, and the answers by column


def ids_of(rows: Iterable[str]) -> pa.Table:
    """The ids of rows as the column that says which rows they are."""
    return pa.table({ROW: pa.array([str(row) for row in rows], pa.string())})


def write_predictions(path: Path, chunks: Iterable[Chunk]) -> None:
    """Write one line for each row, in the given order, as CSV or Parquet, as the path ends."""
    kind = pcsv.CSVWriter if path.suffix.lower() == ".csv" else pq.ParquetWriter
    with replacing(path) as temporary, ExitStack() as stack:
        writer = None
        for rows, predictions in chunks:
            answers = {column: pa.array(values) for column, values in predictions.items()}
            table = pa.table({name: rows[name] for name in rows.column_names} | answers)
            writer = writer or stack.enter_context(kind(temporary, table.schema))
            writer.write_table(table)
        stack.close()


class Answers:
    """The answers to rows that come in parts, each beside columns that say which rows they are. Once all are given,
    `num_rows` is how many there were. Where an answer is no finite number, DataError is raised after the last part, so
    that all such rows are counted; its text begins with `where`."""

    def __init__(
        self, served: "keras.Model", schema: Schema, parts: Iterable[tuple[pa.Table, pa.Table]], where: str
    ) -> None:
        self.num_rows = 0
        self._served, self._schema, self._parts, self._where = served, schema, parts, where

    def __iter__(self) -> Iterator[Chunk]:
        places: list[str] = []
        for ids, rows in self._parts:
            found = predict(self._served, self._schema, rows)
            places += [_place(ids, i, self.num_rows) for i in rows_without_answer(found)]
            self.num_rows += rows.num_rows
            yield ids, found
        if places:
            raise no_answer(self._where, places)


def _place(ids: pa.Table, i: int, before: int) -> str:
    """In words which row is the i-th of a part, with so many rows before it. Rows are counted from 1, as where their
    values are refused; other things, such as files, are named."""
    if ids.column_names == [ROW]:
        return f"row {before + i + 1}"
    return ", ".join(map(str, ids.slice(i, 1).to_pylist()[0].values()))


def rows_without_answer(predictions: Named) -> list[int]:
    """Which rows got an answer that is no finite number."""
    numbers = [values for values in predictions.values() if values.dtype.kind == "f"]
    return [int(i) for i in np.flatnonzero(~np.isfinite(np.stack(numbers)).all(axis=0))]


def no_answer(where: str, places: list[str]) -> DataError:
    """The error for rows that got no finite answer, of which the first are named."""
    rows = "1 row has" if len(places) == 1 else f"{len(places)} rows have"
    first = "; ".join(places[:MOST_PLACES]) + ("; ..." if len(places) > MOST_PLACES else "")
    return DataError(f"{where}: {rows} no finite answer ({first}), because values are too large. Mend or leave out.")
