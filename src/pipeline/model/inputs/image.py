"""Images: pixels are divided by the largest value of the training images, so that they are at most 1 there, or each
channel is standardised, as the column says."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from numpy.typing import ArrayLike, NDArray

from pipeline.config import PreprocessingConfig
from pipeline.data.schema import Column
from pipeline.data.types.image import STANDARD, ImageColumn, pixels
from pipeline.model.inputs.input import Arrays, Chunks, Input, Tensor
from pipeline.model.inputs.scaling import rescale
from pipeline.model.kinds import GRID, Feature

if TYPE_CHECKING:
    import keras


# what a value is multiplied by, and what is added then: numbers, or one for each channel
Scaling = tuple[ArrayLike, ArrayLike]


def shape_of(column: Column) -> list[int]:
    """[height, width, channels] of a column's images."""
    assert isinstance(column.config, ImageColumn)
    return column.config.shape


class ImageInput(Input):
    gives = (GRID,)

    def tensors(self, column: Column) -> dict[str, Tensor]:
        return {column.name: Tensor(tuple(shape_of(column)), "float32")}

    def collate(self, column: Column, values: pa.Array) -> Arrays:
        return {column.name: pixels(values, shape_of(column))}

    def fit(self, config: PreprocessingConfig, columns: list[Column], chunks: Chunks) -> Scaling:
        (column,) = columns
        assert isinstance(column.config, ImageColumn)
        images = (pixels(table[column.name].combine_chunks(), shape_of(column)) for table in chunks())
        return standard(images) if column.config.scale == STANDARD else largest(images)

    def apply(
        self, kind: str, columns: list[Column], fitted: Scaling, tensors: "dict[str, keras.KerasTensor]"
    ) -> Feature:
        """Turn images (B, H, W, C) into a grid of the same shape."""
        (column,) = columns
        return Feature(rescale(tensors[column.name], *fitted, "rescale"))


def largest(images: Iterable[NDArray[np.float32]]) -> Scaling:
    """Divide by the largest value of all images (N, H, W, C), which come in parts."""
    return 1.0 / (max(float(np.abs(part).max()) for part in images) or 1.0), 0.0


def standard(images: Iterable[NDArray[np.float32]]) -> Scaling:
    """Bring each channel of all images (N, H, W, C), which come in parts, to mean 0 and deviation 1. One that is the
    same everywhere becomes 0."""
    count = 0
    total: ArrayLike = 0.0
    squares: ArrayLike = 0.0
    for part in images:
        values_PC = part.reshape(-1, part.shape[-1]).astype(np.float64)
        count += len(values_PC)
        total = np.add(total, values_PC.sum(axis=0))
        squares = np.add(squares, np.square(values_PC).sum(axis=0))
    mean_C = np.divide(total, count)
    deviation_C = np.sqrt(np.maximum(np.divide(squares, count) - np.square(mean_C), 0.0))
    scale_C = 1.0 / np.where(deviation_C > 0, deviation_C, 1.0)
    return scale_C, -mean_C * scale_C
