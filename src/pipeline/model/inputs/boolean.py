"""Yes and no are the numbers 1 and 0."""

from typing import Any

import pyarrow as pa
from numpy.typing import NDArray

from pipeline.data.schema import Column
from pipeline.model.inputs.number import NumberInput


class BooleanInput(NumberInput):
    name = "boolean"

    def collate(self, column: Column, values: pa.Array) -> dict[str, NDArray[Any]]:
        return super().collate(column, values.cast(pa.int8()))
