"""Images: pixels are divided by the largest value of the training images, so that they are at most 1 there."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.config import PreprocessingConfig
from pipeline.data.schema import Column
from pipeline.data.types.image import ImageColumn, pixels
from pipeline.model.inputs.input import Chunks, Input, Tensor
from pipeline.model.inputs.scaling import rescale
from pipeline.model.kinds import GRID, Feature

if TYPE_CHECKING:
    import keras


def shape_of(column: Column) -> list[int]:
    """[height, width, channels] of a column's images."""
    assert isinstance(column.config, ImageColumn)
    return column.config.shape


class ImageInput(Input):
    gives = (GRID,)

    def tensors(self, column: Column) -> dict[str, Tensor]:
        return {column.name: Tensor(tuple(shape_of(column)), "float32")}

    def collate(self, column: Column, values: pa.Array) -> dict[str, NDArray[Any]]:
        return {column.name: pixels(values, shape_of(column))}

    def fit(self, config: PreprocessingConfig, columns: list[Column], chunks: Chunks) -> float:
        """The largest value."""
        (column,) = columns
        found = (pixels(table[column.name].combine_chunks(), shape_of(column)) for table in chunks())
        return max(float(np.abs(image).max()) for image in found) or 1.0

    def apply(
        self, kind: str, columns: list[Column], fitted: float, tensors: "dict[str, keras.KerasTensor]"
    ) -> Feature:
        """Turn images (B, H, W, C) into a grid of the same shape."""
        (column,) = columns
        return Feature(rescale(tensors[column.name], 1.0 / fitted, 0.0, "rescale"))
