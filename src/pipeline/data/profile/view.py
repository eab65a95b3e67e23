"""One column, as the functions of DETAILS get it to show its values."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from pipeline.data.prepared import TARGET
from pipeline.data.profile.statistics import ColumnStatistics
from pipeline.data.schema import Column

MOST_CLASSES = 12


@dataclass(frozen=True)
class View:
    """One column: what is known of it, and the sampled rows for training and for testing, with all of their columns."""

    column: Column
    statistics: ColumnStatistics
    train: pa.Table
    test: pa.Table
    classes: list[str]

    def values(self, rows: pa.Table) -> pa.ChunkedArray:
        """The column's values in some rows, without the missing ones."""
        return rows[self.column.name].drop_null()

    def both(self) -> tuple[pa.ChunkedArray, pa.ChunkedArray]:
        """The column's values in the training rows, and in the test rows."""
        return self.values(self.train), self.values(self.test)

    def by_class(self, most: int) -> list[tuple[str, pa.ChunkedArray]]:
        """The first values of each class in the training rows; of all rows where the target is a number."""
        known = self.train.filter(self.train[self.column.name].is_valid())
        if not self.classes:
            return [("", known[self.column.name].slice(0, most * MOST_CLASSES))]
        labels = np.array(known[TARGET].to_pylist())
        return [
            (name, known[self.column.name].take(pa.array(np.flatnonzero(labels == name)[:most])))
            for name in self.classes[:MOST_CLASSES]
        ]
