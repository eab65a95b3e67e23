"""Images whose pixels are numbers, all of one shape."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.config import ColumnConfig
from pipeline.config.checks import check, one_of
from pipeline.data.digests import combined, mixed
from pipeline.data.types.type import Parsed, Type, refused_where

STORAGES = {"float32": pa.float32(), "uint8": pa.uint8()}


@dataclass
class ImageColumn(ColumnConfig):
    """`shape` is [height, width, channels]. `pixels` is how each value is stored: as `float32`, or, where all are whole
    numbers from 0 to 255, as `uint8` in a quarter of the space."""

    shape: list[int] = field(default_factory=list)
    pixels: str = "float32"

    def check(self) -> None:
        one_of("pixels", self.pixels, tuple(STORAGES))
        good = len(self.shape) == 3 and all(size > 0 for size in self.shape)
        check(good, "shape", self.shape, "[height, width, channels]")


class Image(Type):
    """An image is stored as a list of H * W * C values, row by row."""

    config = ImageColumn
    expected = "an image"

    def storage(self, config: ImageColumn) -> pa.DataType:
        return pa.list_(STORAGES[config.pixels], int(np.prod(config.shape)))

    def parse(self, text: pa.StringArray, config: ImageColumn) -> Parsed:
        return Parsed(pa.nulls(len(text), self.storage(config)), text.is_valid().to_numpy(zero_copy_only=False))

    def convert(self, values: pa.Array, config: ImageColumn) -> Parsed | None:
        size = int(np.prod(config.shape))
        kind = values.type
        if not (pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)):
            return None
        lengths = pc.list_value_length(values)
        wrong = pc.fill_null(pc.not_equal(lengths, size), False).to_numpy(zero_copy_only=False)
        if wrong.any():
            # Arrow stores either all lists or none
            return Parsed(pa.nulls(len(values), self.storage(config)), values.is_valid().to_numpy(zero_copy_only=False))
        try:
            stored = values.cast(self.storage(config))
        except pa.ArrowInvalid:  # texts, or numbers that the storage does not hold
            return Parsed(pa.nulls(len(values), self.storage(config)), values.is_valid().to_numpy(zero_copy_only=False))
        bad = ~np.isfinite(pixels(stored, config.shape).reshape(len(values), -1)).all(axis=1)
        return refused_where(stored, bad & values.is_valid().to_numpy(zero_copy_only=False))

    def digest(self, values: pa.Array) -> NDArray[np.uint64]:
        pixels_NP = _flat(values)
        if pixels_NP.dtype == np.uint8:
            return combined([mixed(column.astype(np.uint64)) for column in pixels_NP.T])
        return combined([mixed((column + np.float32(0)).view(np.uint32).astype(np.uint64)) for column in pixels_NP.T])


def pixels(values: pa.Array, shape: list[int]) -> NDArray[np.float32]:
    """Stored images of a shape [H, W, C] as (N, H, W, C); 0 where an image is missing."""
    return _flat(values).astype(np.float32, copy=False).reshape(len(values), *shape)


def _flat(values: pa.Array) -> NDArray[Any]:
    """Stored images (N, P); 0 where an image is missing."""
    nothing = pa.scalar([0] * values.type.list_size, values.type)
    flat: NDArray[Any] = values.fill_null(nothing).flatten().to_numpy(zero_copy_only=False)
    return flat.reshape(len(values), values.type.list_size)
