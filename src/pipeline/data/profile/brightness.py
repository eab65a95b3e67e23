"""How bright images are, and how much their pixels differ."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from pipeline.data.profile.measured import Measured, Numbers
from pipeline.data.types.image import ImageColumn, pixels

AT_A_TIME = 2**22  # values
COLOURS = ("red", "green", "blue", "alpha")


def brightness(values: pa.ChunkedArray, config: ImageColumn) -> Measured:
    """Of images (N,): the mean of the pixels of each channel, and their standard deviation (the contrast)."""
    parts = [_moments(pixels_NHWC) for pixels_NHWC in _some_at_a_time(values, config)]
    found_2NC = np.concatenate([np.zeros((2, 0, config.shape[2])), *parts], axis=1)
    return Measured(
        {
            f"{name}{of}": found_NC[:, channel]
            for name, found_NC in zip(("brightness", "contrast"), found_2NC, strict=True)
            for channel, of in enumerate(channels(config))
        }
    )


def channels(config: ImageColumn) -> list[str]:
    """What a message says behind the name of a number, for each channel."""
    count = config.shape[2]
    names = COLOURS[:count] if count in (3, 4) else [f"channel {i + 1}" for i in range(count)]
    return [""] if count == 1 else [f" of {name}" for name in names]


def _some_at_a_time(values: pa.ChunkedArray, config: ImageColumn) -> Iterator[Numbers]:
    step = max(1, AT_A_TIME // int(np.prod(config.shape)))
    for chunk in values.chunks:
        for start in range(0, len(chunk), step):
            yield pixels(chunk.slice(start, step), config.shape).astype(np.float64)


def _moments(pixels_NHWC: Numbers) -> Numbers:
    """The mean and the deviation (2, N, C). Sums of bytes and of their squares are whole numbers that float64 holds, so
    they are the same in whatever order they are taken."""
    mean_NC = pixels_NHWC.mean(axis=(1, 2))
    squares_NC = (pixels_NHWC**2).mean(axis=(1, 2))
    return np.stack([mean_NC, np.sqrt(np.maximum(squares_NC - mean_NC**2, 0))])
