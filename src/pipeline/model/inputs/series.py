"""Windows of series: each channel is standardised by the mean and deviation of all its values in the training rows."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from pipeline.config import PreprocessingConfig
from pipeline.data.moments import as_tensorflow_reads, mean_and_deviation, stretch
from pipeline.data.schema import Column
from pipeline.data.types.series import Array, SeriesColumn, windows
from pipeline.model.inputs.input import Arrays, Chunks, Input, Tensor
from pipeline.model.inputs.scaling import rescale
from pipeline.model.kinds import SEQUENCE, Feature

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class Scale:
    """Mean and deviation (C,) of the channels."""

    mean_C: Array
    deviation_C: Array


def shape_of(column: Column) -> list[int]:
    """[window, channels] of a column."""
    assert isinstance(column.config, SeriesColumn)
    return column.config.shape


class SeriesInput(Input):
    gives = (SEQUENCE,)

    def tensors(self, column: Column) -> dict[str, Tensor]:
        return {column.name: Tensor(tuple(shape_of(column)), "float64")}

    def collate(self, column: Column, values: pa.Array) -> Arrays:
        return {column.name: windows(values, shape_of(column))}

    def fit(self, config: PreprocessingConfig, columns: list[Column], chunks: Chunks) -> Scale | None:
        if not config.standardize:
            return None
        (column,) = columns
        channels = shape_of(column)[1]

        def steps() -> Iterator[Array]:
            for table in chunks():
                yield as_tensorflow_reads(windows(table[column.name].combine_chunks(), [-1])).reshape(-1, channels)

        return Scale(*mean_and_deviation(steps))

    def apply(
        self, kind: str, columns: list[Column], fitted: Scale | None, tensors: "dict[str, keras.KerasTensor]"
    ) -> Feature:
        """Turn windows (B, T, C) into a sequence of the same shape."""
        import keras

        (column,) = columns
        x = tensors[column.name]
        if fitted is None:
            return Feature(keras.layers.Identity(dtype="float32", name="series_as_they_are")(x))
        scale_C = 1 / stretch(fitted.deviation_C)
        return Feature(rescale(x, scale_C, -fitted.mean_C * scale_C, "standardize_series"))
