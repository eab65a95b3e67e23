"""Find the raw value of a row that stands out, for an error message that has to name one."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.data.prepared import Split


def numbers_of(table: pa.Table) -> Iterator[tuple[str, NDArray[np.float64]]]:
    """The name and values of each column that holds numbers, or lists of numbers, without the missing ones."""
    for name in table.column_names:
        values = table[name].combine_chunks()
        if pa.types.is_nested(values.type):
            values = pc.list_flatten(values)
        if pa.types.is_floating(values.type):
            yield name, values.drop_null().to_numpy(zero_copy_only=False).astype(np.float64)


def largest_number(row: pa.Table) -> tuple[str, float]:
    """The name and value of the number in a row (a table of one row) that is farthest from 0."""
    found = [(name, values[np.abs(values).argmax()]) for name, values in numbers_of(row) if len(values)]
    return max(found, key=lambda entry: abs(entry[1]))


def most_unusual_input(row: pa.Table, known: Split) -> str:
    """The number in a row (a table of one row) that is farthest from the mean of the `known` rows, in units of their
    deviation, as the text `'name' is value`. The largest value of an image stands for the image."""
    found, farthest, known_by_name = "", -1.0, dict(numbers_of(known.table))
    for name, values in numbers_of(row):
        beside = known_by_name[name]
        if not len(values) or not len(beside):
            continue
        value = values[np.abs(values).argmax()]
        farness = float(np.abs(value - beside.mean()) / (beside.std() or 1.0))
        if farness > farthest:
            found, farthest = f"'{name}' is {value:g}", farness
    return found
