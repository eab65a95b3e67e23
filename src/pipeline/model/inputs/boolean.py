"""Yes and no are the numbers 1 and 0."""

import pyarrow as pa

from pipeline.data.schema import Column
from pipeline.model.inputs.input import Arrays
from pipeline.model.inputs.number import NumberInput


class BooleanInput(NumberInput):
    name = "boolean"

    def collate(self, column: Column, values: pa.Array) -> Arrays:
        return super().collate(column, values.cast(pa.int8()))
