"""The second pass over the rows of a dataset, which deals them out to the files of the splits."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.config.data import WEIGHT as WEIGHT_ROLE
from pipeline.data.ahead import ahead
from pipeline.data.collected import Collected
from pipeline.data.prepared import ROW, TARGET, WEIGHT, chunk_rows, target_values
from pipeline.data.profile.seen import Seen
from pipeline.data.row_ids import RowIds
from pipeline.data.schema import Schema
from pipeline.data.sources.source import Columns
from pipeline.data.splits import PLACES, Places, Summary
from pipeline.data.types.type import is_bytes
from pipeline.layout import SPLITS, split_file


def deal_out(
    folder: Path,
    found: Collected,
    schema: Schema,
    columns: Columns,
    ids: RowIds,
    places: Places | None,
    seen: Seen | None,
) -> Summary:
    """Write each row to its split, in the source's order, and return how many rows each split has."""
    size = chunk_rows(schema.row_bytes)
    # of each split and class; a target that is a number counts as one class
    counts = np.zeros((len(SPLITS), len(schema.classes) or 1), np.int64)
    with ExitStack() as stack:
        writers = {split: SplitWriter(stack, folder / split_file(split), size) for split in SPLITS}
        for parts in ahead(dealt(found, columns, ids, places)):
            for split, part in parts.items():
                codes = target_values(part[TARGET], schema.classes) if schema.classes else np.zeros(len(part), np.int32)
                counts[PLACES[split]] += np.bincount(codes, minlength=counts.shape[1])
                writers[split].write(part)
                if seen is not None:
                    seen.look_at(split, part)
        for writer in writers.values():
            writer.close()
    summary: Summary = {}
    for split, place in PLACES.items():
        by_class = dict(zip(schema.classes, counts[place].tolist(), strict=False)) if places is not None else {}
        summary[split] = {"rows": int(counts[place].sum()), "classes": by_class}
    return summary


def dealt(found: Collected, columns: Columns, ids: RowIds, places: Places | None) -> Iterator[dict[str, pa.Table]]:
    """The rows of each split as its file has them, some at a time."""
    names = {column.name: column.name for column in columns.features} | {columns.target.name: TARGET}
    if WEIGHT_ROLE in columns.roles:
        names[columns.roles[WEIGHT_ROLE].name] = WEIGHT
    start = 0
    # The pages of a file that is mapped into memory would count to this process.
    with pa.OSFile(str(found.rows)) as stream, pa.ipc.open_stream(stream) as reader:
        for batch in reader:
            own = ids.following(found.digests.read(start, batch.num_rows))
            table = pa.table([own, *(batch[name] for name in names)], [ROW, *names.values()])
            of_rows = None if places is None else places[start : start + batch.num_rows]
            yield {
                split: table if of_rows is None else table.filter(pa.array(of_rows == place))
                for split, place in PLACES.items()
            }
            start += batch.num_rows


class SplitWriter:
    """Writes a split's Parquet file. Row groups have `size` rows, however many rows come at a time, so that the file's
    bytes do not depend on a source's batches."""

    def __init__(self, stack: ExitStack, path: Path, size: int) -> None:
        self._stack, self._path, self._size = stack, path, size
        self._writer: pq.ParquetWriter | None = None
        self._waiting: list[pa.Table] = []
        self._num_waiting = 0

    def write(self, table: pa.Table) -> None:
        if self._writer is None:
            options = {"use_dictionary": columns_that_repeat(table.schema)}
            self._writer = self._stack.enter_context(pq.ParquetWriter(self._path, table.schema, **options))
        self._waiting.append(table)
        self._num_waiting += table.num_rows
        if self._num_waiting >= self._size:
            self._flush(self._num_waiting - self._num_waiting % self._size)

    def close(self) -> None:
        """Write the rest."""
        self._flush(self._num_waiting)

    def _flush(self, num_rows: int) -> None:
        """Write so many of the waiting rows."""
        assert self._writer is not None
        rows = pa.concat_tables(self._waiting).combine_chunks()  # pages of a file begin where its chunks do
        self._writer.write_table(rows.slice(0, num_rows), self._size)
        self._waiting, self._num_waiting = [rows.slice(num_rows)], rows.num_rows - num_rows


def columns_that_repeat(schema: pa.Schema) -> list[str]:
    """The columns of which Parquet keeps each value once and numbers them: all but ids, numbers and encoded contents.
    Those seldom repeat, and looking for it took most of the time of writing them."""
    return [
        f"{entry.name}.list.element" if pa.types.is_nested(entry.type) else entry.name
        for entry in schema
        if entry.name != ROW and not pa.types.is_floating(entry.type) and not is_bytes(entry.type)
    ]
