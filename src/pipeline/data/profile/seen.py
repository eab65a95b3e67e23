"""What is taken note of while the rows of a dataset are dealt out to the splits."""

from collections import Counter
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.data.prepared import TARGET
from pipeline.data.profile.sample import Sample
from pipeline.data.schema import Column, Schema
from pipeline.data.types.category import CategoryColumn
from pipeline.data.types.clock import since_1970
from pipeline.data.types.number import NumberColumn
from pipeline.layout import TEST, TRAIN


@dataclass
class SeenSplit:
    """Of all rows: how many there are, how many values are missing in each column, and the least and the greatest
    number of each column that holds numbers or moments. Everything else is known of the `sample`."""

    rows: int = 0
    missing: Counter[str] = field(default_factory=Counter)
    ranges: dict[str, tuple[float, float]] = field(default_factory=dict)
    sample: Sample = field(default_factory=Sample)

    def look_at(self, columns: list[Column], rows: pa.Table) -> None:
        self.rows += rows.num_rows
        for column in columns:
            values = rows[column.name]
            self.missing[column.name] += values.null_count
            if is_numeric(column) and values.null_count < len(values):
                least, greatest = (value.as_py() for value in pc.min_max(as_numbers(values)).values())
                before = self.ranges.get(column.name, (least, greatest))
                self.ranges[column.name] = (min(least, before[0]), max(greatest, before[1]))
        self.sample.add(rows)


class Seen:
    """What was seen of the rows for training and for testing, column by column; the target is the last column.
    `held_out` says whether the test rows are others than those for training."""

    def __init__(self, schema: Schema) -> None:
        target = CategoryColumn("category") if schema.classes else NumberColumn("number")
        self.columns = [*schema.features, Column(TARGET, target)]
        self.held_out = schema.split != "none"
        self.splits = {split: SeenSplit() for split in (TRAIN, TEST)}

    def look_at(self, split: str, rows: pa.Table) -> None:
        if split in self.splits:
            self.splits[split].look_at(self.columns, rows)


def is_numeric(column: Column) -> bool:
    """Whether the values of a column have a least and a greatest: numbers, dates, and moments."""
    return bool(pa.types.is_floating(column.storage) or pa.types.is_temporal(column.storage))


def as_numbers(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Numbers as they are, and moments in microseconds since 1970, days in days."""
    return values if pa.types.is_floating(values.type) else since_1970(values).cast(pa.float64())
