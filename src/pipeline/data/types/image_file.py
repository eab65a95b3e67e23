"""The content of an image file becomes pixels of one shape.

The same content gives the same pixels everywhere: the filter is pinned, and so is Pillow, by requirements.lock.
"""

import io
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PIL.Image import Image

Size = tuple[int, int]  # width and height

FORMATS = ("PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF")
ENDINGS = (".png", ".jpg", ".jpeg", ".gif", ".bmp", ".webp", ".tif", ".tiff")
CHANNELS = {1: "L", 3: "RGB", 4: "RGBA"}  # how Pillow calls an image of so many channels
REFUSE = "refuse"  # an image of another size
MOST_PIXELS = 80_000_000  # they take 320 MB as RGB in memory
MOST_IN_FILE = 300_000_000  # of a JPEG that is decoded at a part of its size: phones take photographs of 200 million
JPEG = b"\xff\xd8\xff"  # how one begins


def pixels_of(content: bytes, shape: list[int], resize: str) -> NDArray[np.uint8] | str:
    """The image as (H, W, C) in this shape, or in words why there is none."""
    from PIL import Image, UnidentifiedImageError

    if not content:
        return "empty"
    try:
        opened = opened_image(content)
        width, height = opened.size
        if resize != REFUSE:
            # A JPEG of many times the size is decoded at a half, a quarter or an eighth of its own, in less time.
            opened.draft(None, (2 * max(shape[:2]), 2 * max(shape[:2])))
        if (most := exceeded(width * height, opened)) is not None:
            return f"{width} x {height} pixels, more than {most:,} in all"
        image = upright(opened)
        if image.mode in ("I", "F"):
            return "pixels of 32 bits, expected 8 or 16"
        image = in_channels(image, shape[2])
    except UnidentifiedImageError:
        return f"no image that can be read ({', '.join(FORMATS)})"
    except Image.DecompressionBombError:  # Pillow's own limit, before it reads more than the size
        return f"more than {MOST_PIXELS:,} pixels in all"
    except Exception as error:  # of a damaged file, Pillow raises errors of a dozen kinds
        return f"damaged or cut off ({' '.join(str(error).split())[:100] or type(error).__name__})"
    size = (shape[1], shape[0])
    if image.size != size and resize == REFUSE:
        return f"{image.width} x {image.height} pixels, expected {size[0]} x {size[1]}; or set resize"
    if image.size != size:
        image = RESIZES[resize](image, size)
    return np.asarray(image, np.uint8).reshape(shape)


def opened_image(content: bytes) -> "Image":
    """The image, of which only the header has been read. Pillow does not open a very large one at all, of which a JPEG
    may well be decoded at a part of its size."""
    from PIL import Image
    from PIL.JpegImagePlugin import JpegImageFile

    try:
        return Image.open(io.BytesIO(content), formats=FORMATS)
    except Image.DecompressionBombError:
        if not content.startswith(JPEG):
            raise
        return JpegImageFile(io.BytesIO(content))


def exceeded(in_file: int, opened: "Image") -> int | None:
    """Which limit an image goes beyond that has so many pixels in its file, and is to be decoded at the size that it
    says; None if it is none. All of a progressive JPEG is in memory, however small it is decoded."""
    in_memory = in_file if "progressive" in opened.info else opened.width * opened.height
    if in_memory > MOST_PIXELS:
        return MOST_PIXELS
    return MOST_IN_FILE if in_file > MOST_IN_FILE else None


def silence_warnings() -> None:
    """Let Pillow not warn of images. What is wrong with one is said when it is refused, and nothing else of a file
    matters here. It is for all threads, so it is not asked for by each."""
    warnings.filterwarnings("ignore", module=r"PIL\.")


def upright(image: "Image") -> "Image":
    """The image decoded, and turned as its EXIF data say that it is to be seen. Of several frames, it is the first."""
    from PIL import ImageOps

    image.load()
    return ImageOps.exif_transpose(image)


def in_channels(image: "Image", channels: int) -> "Image":
    """The image in 8 bits for each of so many channels. Of 16 bits, the upper 8 are taken. What is transparent is laid
    on white, unless alpha is one of the channels. Colours are taken as they are, whatever a colour profile says."""
    from PIL import Image

    if image.mode.startswith("I;16"):
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if image.has_transparency_data and channels < 4:
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image.convert("RGBA"))
    return image.convert(CHANNELS[channels])


def fitted(image: "Image", size: Size) -> "Image":
    """All of the image, stretched to the size."""
    from PIL import Image

    return image.resize(size, Image.Resampling.BILINEAR)


def cropped(image: "Image", size: Size) -> "Image":
    """The middle of the image, as much as there is in the proportions of the size."""
    from PIL import Image

    scale = min(image.width / size[0], image.height / size[1])
    left, top = (image.width - scale * size[0]) / 2, (image.height - scale * size[1]) / 2
    box = (max(left, 0.0), max(top, 0.0), min(image.width - left, image.width), min(image.height - top, image.height))
    return image.resize(size, Image.Resampling.BILINEAR, box=box)


def padded(image: "Image", size: Size) -> "Image":
    """All of the image in its own proportions, with black (and transparent) edges."""
    from PIL import Image

    scale = min(size[0] / image.width, size[1] / image.height)
    inner = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    whole = Image.new(image.mode, size)
    place = ((size[0] - inner[0]) // 2, (size[1] - inner[1]) // 2)
    whole.paste(image.resize(inner, Image.Resampling.BILINEAR), place)
    return whole


RESIZES: dict[str, Callable[["Image", Size], "Image"]] = {"fit": fitted, "crop": cropped, "pad": padded}
