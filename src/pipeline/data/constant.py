"""Columns that have the same value in all rows. Nothing can be learned from them."""

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.data.reading import value_of
from pipeline.data.schema import Column
from pipeline.data.types.type import shown


class ConstantColumns:
    """Looks at the rows of some columns, a batch at a time. A column is no longer looked at once it has shown a second
    value; a missing value is one, too."""

    def __init__(self, columns: list[Column]) -> None:
        self._names = [column.name for column in columns]
        self._first: dict[str, Any] = {}
        self._num_rows = 0

    def look_at(self, batch: pa.RecordBatch) -> None:
        self._num_rows += batch.num_rows
        self._names = [name for name in self._names if batch.num_rows == 0 or self._is_same(name, batch[name])]

    def _is_same(self, name: str, values: pa.Array) -> bool:
        first = self._first.setdefault(name, values[0])
        if not first.is_valid:
            return bool(values.null_count == len(values))
        return bool(values.null_count == 0 and pc.all(pc.equal(values, first)).as_py())

    def found(self) -> list[str]:
        """The columns with one value in all rows, and the value, in words. There are none where there is one row."""
        if self._num_rows < 2:
            return []
        values = {name: value_of(self._first[name]) for name in self._names}
        return [f"'{name}' ({'missing' if value is None else shown(value)})" for name, value in values.items()]
