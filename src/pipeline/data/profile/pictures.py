"""Images: how bright they are, and the first of each class, as pixels from 0 to 255 that a person can look at."""

import io
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
from markupsafe import Markup
from numpy.typing import NDArray

from pipeline.data.profile.brightness import brightness
from pipeline.data.profile.drawing import histogram, picture
from pipeline.data.profile.view import View
from pipeline.data.schema import Column
from pipeline.data.types.image import ImageColumn

PICTURES_OF_CLASS = 8

Pixels = NDArray[np.uint8]  # (H, W), or (H, W, 3) with colours


def image(view: View) -> Markup:
    config = view.column.config
    assert isinstance(config, ImageColumn)
    train, test = (brightness(values, config).numbers for values in view.both())
    shown = [Markup("<p>{}</p>").format(name) + histogram(train[name], test[name]) for name in train]
    for name, values in view.by_class(PICTURES_OF_CLASS):
        drawn = [picture(pixels, name) for pixels in pictures(view.column, values)]
        shown.append(Markup("<p>{}</p><div class=pictures>{}</div>").format(name, Markup("").join(drawn)))
    return Markup("").join(shown)


def pictures(column: Column, values: pa.ChunkedArray) -> Iterator[Pixels]:
    """Each stored image, which is a list of numbers of the column's shape, or a file's bytes."""
    for value in values:
        yield encoded(value.as_py()) if pa.types.is_binary(values.type) else listed(column, value)


def listed(column: Column, value: pa.Scalar) -> Pixels:
    """An image that is stored as a list of numbers. Numbers that are no bytes are brought to 0 (the least) to 255."""
    numbers = value.values.to_numpy(zero_copy_only=False).reshape(column.config.shape)  # type: ignore[attr-defined]
    if numbers.dtype != np.uint8:
        low, high = numbers.min(), numbers.max()
        numbers = np.rint((numbers - low) * (255.0 / ((high - low) or 1.0))).astype(np.uint8)
    return np.ascontiguousarray(numbers[..., :3] if numbers.shape[2] >= 3 else numbers[..., 0])


def encoded(content: bytes) -> Pixels:
    """An image that is stored as the bytes of a file such as PNG or JPEG."""
    from PIL import Image

    with Image.open(io.BytesIO(content)) as image:
        return np.asarray(image.convert("L" if image.mode in ("1", "L", "I", "I;16", "F") else "RGB"))
