"""Dates and times: how late they are, as a number, and where they stand in the year, in the week and in the day.

A place in a cycle is a point on a circle, so that December is next to January: two features, the sine and the cosine.
"""

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.config import PreprocessingConfig
from pipeline.data.schema import Column
from pipeline.data.types.clock import since_1970
from pipeline.model.inputs.input import MISSING, Arrays, Chunks, Input, Tensor, flag, side_by_side, with_missing
from pipeline.model.inputs.number import Moments, NumberInput
from pipeline.model.kinds import VECTOR, Feature

if TYPE_CHECKING:
    import keras

YEAR, WEEK, DAY = 365.2425, 7.0, 1.0  # in days


class MomentInput(Input):
    """`unit` is how many of the stored numbers are in a day, and `cycles` are the lengths of the cycles in days."""

    gives = (VECTOR,)

    def __init__(self, name: str, unit: float, cycles: tuple[float, ...]) -> None:
        self._name, self._unit, self._cycles = name, unit, cycles
        self._elapsed = Elapsed(name)

    def tensors(self, column: Column) -> dict[str, Tensor]:
        """The stored number itself, which float64 might not hold."""
        return {column.name: Tensor((1,), "int64")} | flag(column)

    def collate(self, column: Column, values: pa.Array) -> Arrays:
        return with_missing(column, values, {column.name: whole(values)[:, np.newaxis]})

    def fit(self, config: PreprocessingConfig, columns: list[Column], chunks: Chunks) -> Moments:
        names = [column.name for column in columns]

        def numbers() -> Iterator[pa.Table]:
            for table in chunks():
                yield pa.table({name: _numbers(table[name].combine_chunks()) for name in names})

        return self._elapsed.fit(config, columns, numbers)

    def apply(
        self, kind: str, columns: list[Column], fitted: Moments, tensors: "dict[str, keras.KerasTensor]"
    ) -> Feature:
        import keras

        parts: list[keras.KerasTensor] = []
        floats = dict(tensors)
        for i, column in enumerate(columns):
            number = keras.ops.cast(tensors[column.name], "float64")
            floats[column.name] = number
            for period in self._cycles:
                angle = number * (2 * math.pi / (period * self._unit))
                for circle in (keras.ops.sin(angle), keras.ops.cos(angle)):
                    x = keras.ops.cast(circle, "float32")
                    if column.nullable:
                        there = keras.layers.Rescaling(-1.0, 1.0, name=f"{self._name}_{i}_there_{len(parts)}")
                        x = keras.layers.Multiply(name=f"{self._name}_{i}_circle_{len(parts)}")(
                            [x, there(tensors[column.name + MISSING])]
                        )
                    parts.append(x)
        elapsed = self._elapsed.standardized(columns, fitted, floats)
        return Feature(side_by_side([elapsed, *parts], f"{self._name}s_and_cycles"))


class Elapsed(NumberInput):
    """Moments as numbers."""

    def __init__(self, name: str) -> None:
        self.name = name


def whole(values: pa.Array) -> NDArray[np.int64]:
    """Dates as days and times as microseconds since 1970, 0 where they are missing."""
    found: NDArray[np.int64] = since_1970(values).cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False)
    return found


def _numbers(values: pa.Array) -> pa.Array:
    return pa.array(whole(values).astype(np.float64), mask=values.is_null().to_numpy(zero_copy_only=False))
