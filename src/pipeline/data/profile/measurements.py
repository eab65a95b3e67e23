"""What is measured of the values of a type, for the types whose values are many letters or numbers.

Another type is one more function, in a file of its own, and its name in MEASUREMENTS. An edit of that file then reruns
`prepare` of the datasets that have such columns alone.
"""

from collections.abc import Callable
from typing import Any

import pyarrow as pa

from pipeline.data.profile.composition import composition
from pipeline.data.profile.dynamics import dynamics
from pipeline.data.profile.measured import Measured
from pipeline.data.schema import Column

MEASUREMENTS: dict[str, Callable[[pa.ChunkedArray, Any], Measured] | None] = {
    "audio": None,
    "boolean": None,
    "category": None,
    "date": None,
    "datetime": None,
    "image": None,
    "number": None,
    "sequence": composition,
    "series": dynamics,
    "text": None,
}


def measures_contents(column: Column) -> bool:
    """Whether there is more to measure of a column's values than of numbers, categories or texts."""
    return MEASUREMENTS.get(column.config.type) is not None


def measured_of(column: Column, values: pa.ChunkedArray) -> Measured:
    """What is measured of values (N,) of which none is missing."""
    measure = MEASUREMENTS[column.config.type]
    assert measure is not None
    return measure(values, column.config)
