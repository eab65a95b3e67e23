"""Images whose pixels are numbers, all of one shape.

The content of an image file (PNG, JPEG and others) is brought to that shape when it is read, by the same code for
training and serving. It cannot be done in the served graph: Keras has no layer that decodes a file, and a saved model
holds Keras' own layers alone. What is stored is pixels. As PNG, those of photographs would take 0.6 of the space, but
three times as long to write, and longer to read each time.
"""

import base64
import hashlib
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.config import ColumnConfig
from pipeline.config.checks import check, one_of
from pipeline.data.digests import combined, mixed
from pipeline.data.types.image_file import CHANNELS, ENDINGS, REFUSE, RESIZES, pixels_of, silence_warnings
from pipeline.data.types.type import FileContent, Parsed, Type, is_bytes, refused_where

LARGEST, STANDARD = SCALES = ("largest", "standard")
STORAGES = {"float32": pa.float32(), "uint8": pa.uint8()}
THREADS = 4  # that decode images side by side; each may have one of MOST_PIXELS in memory
# An image of more values is hashed as a whole, since one value after another would take 50 times as long.
MOST_HASHED_ONE_BY_ONE = 4096


@dataclass
class ImageColumn(ColumnConfig):
    """`shape` is [height, width, channels]. `pixels` is how each value is stored: as `float32`, or, where all are whole
    numbers from 0 to 255, as `uint8` in a quarter of the space. `resize` is what is done to an image file of another
    size: a name in RESIZES, or `refuse`. Of files, pixels are stored as `uint8` unless it is said otherwise.

    A model sees pixels divided by the largest value of the training images, or with `scale: standard` each channel less
    its mean, divided by its deviation."""

    shape: list[int] = field(default_factory=list)
    pixels: str = "float32"
    resize: str = REFUSE
    scale: str = LARGEST

    def check(self) -> None:
        one_of("pixels", self.pixels, tuple(STORAGES))
        good = len(self.shape) == 3 and all(size > 0 for size in self.shape)
        check(good, "shape", self.shape, "[height, width, channels]")
        one_of("scale", self.scale, SCALES)
        one_of("resize", self.resize, (REFUSE, *RESIZES))
        fits = self.resize == REFUSE or self.shape[2] in CHANNELS
        check(fits, "shape", self.shape, "1, 3 or 4 channels, which are all that image files have")


class Image(Type):
    """An image is stored as a list of H * W * C values, row by row. It is read from such a list, or from the content of
    an image file, as bytes or as text in base64."""

    config = ImageColumn
    expected = "an image"
    files = FileContent(ENDINGS, {"pixels": "uint8"})
    is_content = True
    packages = ("pillow",)

    def storage(self, config: ImageColumn) -> pa.DataType:
        return pa.list_(STORAGES[config.pixels], int(np.prod(config.shape)))

    def parse(self, text: pa.StringArray, config: ImageColumn) -> Parsed:
        """A text is the content of a file in base64, as JSON has it."""
        return self._decoded([None if value is None else from_base64(value) for value in text.to_pylist()], config)

    def _decoded(self, contents: Iterable[bytes | None], config: ImageColumn) -> Parsed:
        """The images (N,) that have these contents of files."""
        nothing = np.zeros(config.shape, np.uint8)

        def decode(content: bytes | None) -> NDArray[np.uint8] | str | None:
            return None if content is None else pixels_of(content, config.shape, config.resize)

        silence_warnings()
        with ThreadPoolExecutor(THREADS) as pool:  # which gives results in the order of the contents
            found = list(pool.map(decode, contents))
        reasons = {i: image for i, image in enumerate(found) if isinstance(image, str)}
        images = [image.reshape(-1) if isinstance(image, np.ndarray) else nothing.reshape(-1) for image in found]
        flat = np.concatenate([*images, np.empty(0, np.uint8)])
        values, size = pa.array(flat).cast(STORAGES[config.pixels]), int(np.prod(config.shape))
        mask = pa.array([not isinstance(image, np.ndarray) for image in found], pa.bool_())
        refused = np.array([isinstance(image, str) for image in found], bool)
        return Parsed(pa.FixedSizeListArray.from_arrays(values, size, mask=mask), refused, reasons)

    def convert(self, values: pa.Array, config: ImageColumn) -> Parsed | None:
        size = int(np.prod(config.shape))
        kind = values.type
        if is_bytes(kind):
            return self._decoded((value.as_py() for value in values), config)
        if not (pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)):
            return None
        there = values.is_valid().to_numpy(zero_copy_only=False)
        fits = pc.fill_null(pc.equal(pc.list_value_length(values), size), False).to_numpy(zero_copy_only=False)
        stored = _stored(values.filter(pa.array(fits)), self.storage(config))
        if not fits.all():
            stored = stored.take(pa.array(np.cumsum(fits) - 1, mask=~fits))  # null in the other rows
        good = stored.is_valid().to_numpy(zero_copy_only=False)
        good &= np.isfinite(pixels(stored, config.shape).reshape(len(values), -1)).all(axis=1)
        why = f"not the {size} values of the shape {config.shape}"
        reasons = {int(i): why for i in np.flatnonzero(there & ~fits)}
        return replace(refused_where(stored, there & ~good), reasons=reasons)

    def digest(self, values: pa.Array) -> NDArray[np.uint64]:
        pixels_NP = _flat(values)
        if pixels_NP.dtype == np.uint8 and pixels_NP.shape[1] > MOST_HASHED_ONE_BY_ONE:
            whole = [hashlib.blake2b(image, digest_size=8).digest() for image in np.ascontiguousarray(pixels_NP)]
            return np.frombuffer(b"".join(whole), "<u8").astype(np.uint64)
        if pixels_NP.dtype == np.uint8:
            return combined([mixed(column.astype(np.uint64)) for column in pixels_NP.T])
        return combined([mixed((column + np.float32(0)).view(np.uint32).astype(np.uint64)) for column in pixels_NP.T])


def _stored(images: pa.Array, storage: pa.DataType) -> pa.Array:
    """Lists of the right length in the storage; null for one with texts, or numbers that the storage does not hold.
    Arrow casts either all lists or none, so after a failure they are cast one by one."""
    if not len(images):
        return pa.nulls(0, storage)
    try:
        return images.cast(storage)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        if len(images) == 1:
            return pa.nulls(1, storage)
        # a slice would not do: Arrow casts what is behind it as a whole
        return pa.concat_arrays([_stored(images.take(pa.array([i])), storage) for i in range(len(images))])


def from_base64(text: str) -> bytes:
    """What is none is no image either, which is found out when it is decoded."""
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return text.encode()


def pixels(values: pa.Array, shape: list[int]) -> NDArray[np.float32]:
    """Stored images of a shape [H, W, C] as (N, H, W, C); 0 where an image is missing."""
    return _flat(values).astype(np.float32, copy=False).reshape(len(values), *shape)


def _flat(values: pa.Array) -> NDArray[Any]:
    """Stored images (N, P); 0 where an image is missing."""
    nothing = pa.scalar([0] * values.type.list_size, values.type)
    flat: NDArray[Any] = values.fill_null(nothing).flatten().to_numpy(zero_copy_only=False)
    return flat.reshape(len(values), values.type.list_size)
