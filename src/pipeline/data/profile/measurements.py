"""What is measured of the values of a type, for the types whose values are many letters or numbers.

Another such type is one more function, in a file of its own, and its name in MEASUREMENTS. An edit of that file then
reruns `prepare` of the datasets that have such columns alone.
"""

from collections.abc import Callable
from typing import Any

import pyarrow as pa

from pipeline.data.profile.brightness import brightness
from pipeline.data.profile.composition import composition
from pipeline.data.profile.dynamics import dynamics
from pipeline.data.profile.loudness import loudness
from pipeline.data.profile.measured import Measured
from pipeline.data.schema import Column

MEASUREMENTS: dict[str, Callable[[pa.ChunkedArray, Any], Measured]] = {
    "audio": loudness,
    "image": brightness,
    "sequence": composition,
    "series": dynamics,
}


def measures_contents(column: Column) -> bool:
    """Whether there is more to measure of a column's values than of numbers, categories or texts."""
    return column.config.type in MEASUREMENTS


def measured_of(column: Column, values: pa.ChunkedArray) -> Measured:
    """What is measured of values (N,) of which none is missing."""
    return MEASUREMENTS[column.config.type](values, column.config)
