"""Where rows are from: columns that a source may add to its batches, so that a row can be found in its file."""

import numpy as np
import pyarrow as pa

# the name of a row's file, and the row's number there as a person counts, empty where a file is one row
OF_FILE, OF_ROW = ":of_file", ":of_row"
# how all rows of a dataset have them
FIELDS = (pa.field(OF_FILE, pa.dictionary(pa.int32(), pa.string())), pa.field(OF_ROW, pa.string()))


def with_origin(batch: pa.RecordBatch, file: str, numbers: pa.Array) -> pa.RecordBatch:
    """The rows of a file with these two columns. `numbers` (N,) are the rows' numbers."""
    files = pa.repeat(pa.scalar(printable(file)), batch.num_rows)
    return batch.append_column(OF_FILE, files).append_column(OF_ROW, numbers)


def origin_of(batch: pa.RecordBatch, start: int) -> dict[str, pa.Array]:
    """The two columns as FIELDS, whether or not the source has added them. A file that is not known is null; and where
    rows have no numbers in files, they are counted from 1 over all rows. `start` rows were before these."""
    names, counted = batch.schema.names, pa.array(np.arange(start + 1, start + batch.num_rows + 1))
    file = batch[OF_FILE] if OF_FILE in names else pa.nulls(batch.num_rows)
    row = batch[OF_ROW] if OF_ROW in names else counted
    return {OF_FILE: file.cast(pa.string()).dictionary_encode(), OF_ROW: row.cast(pa.string())}


def printable(name: str) -> str:
    """A file's name in one line."""
    return name if name.isprintable() else repr(name)
