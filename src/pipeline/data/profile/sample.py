"""A sample of rows that pass by, which does not depend on how many of them pass at a time."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.data.prepared import ROW
from pipeline.data.types.type import storage_bytes

MOST_ROWS, MOST_BYTES = 20_000, 2**24


class Sample:
    """The rows whose ids come first when sorted: at most MOST_ROWS of them, and as many as fit into MOST_BYTES. Ids are
    digests, so the rows are well mixed, and all rows are in the sample of a small dataset."""

    def __init__(self) -> None:
        self._parts: list[pa.Table] = []
        self._num_rows = self._num_bytes = 0
        self._last: str | None = None  # no row behind this id can be in the sample any more

    def add(self, rows: pa.Table) -> None:
        if self._last is not None:
            rows = rows.filter(pc.less(rows[ROW], self._last))
        if not rows.num_rows:
            return
        self._parts.append(rows)
        self._num_rows += rows.num_rows
        self._num_bytes += rows.nbytes
        if self._num_rows > 2 * MOST_ROWS or self._num_bytes > 2 * MOST_BYTES:
            self._cut()

    def rows(self) -> pa.Table:
        """The rows of the sample, in the order in which they came."""
        self._cut()
        return self._parts[0]

    def _cut(self) -> None:
        rows = pa.concat_tables(self._parts).combine_chunks()
        order = pc.sort_indices(rows[ROW]).to_numpy()
        total = np.cumsum(row_bytes(rows)[order])
        kept = min(MOST_ROWS, max(1, int(np.searchsorted(total, MOST_BYTES, side="right"))))
        if kept < rows.num_rows:
            self._last = rows[ROW][int(order[kept - 1])].as_py()
            rows = rows.take(pa.array(np.sort(order[:kept])))
        self._parts, self._num_rows, self._num_bytes = [rows], rows.num_rows, rows.nbytes


def row_bytes(rows: pa.Table) -> NDArray[np.int64]:
    """About how many bytes each row (N,) takes in memory."""
    total = np.zeros(rows.num_rows, np.int64)
    for column in rows.columns:
        kind = column.type
        if pa.types.is_primitive(kind) or pa.types.is_fixed_size_list(kind):
            total += storage_bytes(kind)
        elif pa.types.is_list(kind) or pa.types.is_large_list(kind):
            total += storage_bytes(kind.value_type) * pc.fill_null(pc.list_value_length(column), 0).to_numpy()
        else:
            total += pc.fill_null(pc.binary_length(column), 0).to_numpy()
    return total
