"""Parquet files, and files of Arrow's own format (Feather, too)."""

from collections.abc import Iterator
from itertools import chain
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq

from pipeline.data.formats.rows import Format, Layout, Rows, TableFile, cannot_read, check_names, rows_at_once
from pipeline.errors import DataError

BUFFER = 2**20  # bytes
DAMAGED = (OSError, pa.ArrowException)


def _parquet(file: TableFile) -> pq.ParquetFile:
    _check_there(file)
    try:
        # Without a buffer, a column of a whole row group would be read at once.
        return pq.ParquetFile(file.source(), pre_buffer=False, buffer_size=BUFFER)
    except DAMAGED as error:
        raise cannot_read(file, "Parquet file", error) from error


def parquet_names(file: TableFile, layout: Layout) -> list[str]:
    with _parquet(file) as source:
        names: list[str] = source.schema_arrow.names
        return names


def parquet_rows(file: TableFile, layout: Layout) -> Iterator[Rows]:
    """The rows of a Parquet file, some at a time."""
    with _parquet(file) as source:
        check_names(file, layout, source.schema_arrow.names)
        batches = source.iter_batches(_at_once(source.metadata), columns=list(layout.columns), use_threads=True)
        yield from _numbered(file, "Parquet file", batches, layout)


def _at_once(metadata: pq.FileMetaData) -> int:
    """How many rows to read at a time, by the row group whose rows are the largest."""
    groups = (metadata.row_group(i) for i in range(metadata.num_row_groups))
    return rows_at_once(max((group.total_byte_size / max(1, group.num_rows) for group in groups), default=0))


def _ipc(file: TableFile) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
    """The schema and the batches of a file in Arrow's file format or stream format."""
    _check_there(file)
    try:
        source = file.source()
        source = pa.memory_map(source) if isinstance(source, str) else source
        if source.read(6) == b"ARROW1":
            reader = pa.ipc.open_file(source)
            return reader.schema, (reader.get_batch(i) for i in range(reader.num_record_batches))
        source.seek(0)
        stream = pa.ipc.open_stream(source)
        return stream.schema, iter(stream)
    except DAMAGED as error:
        raise cannot_read(file, "Arrow file", error) from error


def arrow_names(file: TableFile, layout: Layout) -> list[str]:
    names: list[str] = _ipc(file)[0].names
    return names


def arrow_rows(file: TableFile, layout: Layout) -> Iterator[Rows]:
    """The rows of an Arrow file, some at a time."""
    schema, batches = _ipc(file)
    check_names(file, layout, schema.names)
    yield from _numbered(file, "Arrow file", chain.from_iterable(map(_pieces, batches)), layout)


def _pieces(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    size = rows_at_once(batch.nbytes / max(1, batch.num_rows))
    return (batch.slice(start, size) for start in range(0, batch.num_rows, size))


def _numbered(file: TableFile, what: str, batches: Iterator[Any], layout: Layout) -> Iterator[Rows]:
    start = 1
    try:
        for batch in batches:
            columns = {name: batch.column(batch.schema.names.index(name)) for name in layout.columns}
            for values in columns.values():
                # texts that are not UTF-8, and offsets that point elsewhere, would end the process later on
                values.validate(full=True)
            yield Rows(columns, np.arange(start, start + batch.num_rows))
            start += batch.num_rows
    except DAMAGED as error:
        raise cannot_read(file, what, error) from error


def _check_there(file: TableFile) -> None:
    if not file.size():
        raise DataError(f"{file.name}: empty, expected rows.")


PARQUET = Format(parquet_names, parquet_rows)
ARROW = Format(arrow_names, arrow_rows)
