"""Images that look the same, by a difference hash (Krawetz 2013, "Kind of like that"), and by a look at the pixels.

The hash has 64 bits: of an image that is shrunk to 8 rows of 9 grey values, whether each value is less than its right
neighbour. Small pictures of one kind often share it, so a pair counts only if grey values of 16x16 are alike too.
"""

import io
from itertools import combinations
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.data.digests import GOLDEN, Digests
from pipeline.data.schema import Column
from pipeline.data.splits import PLACES, Places
from pipeline.layout import TEST

SIDE = 16
# By how many bits the hashes of two images may differ, and by how much of 255 their grey values on average. A picture
# that was saved as JPEG of quality 60, or at half its size, differs by so much from what it was.
MOST_BITS, MOST_GREY = 2, 3.0
DIFFERENCE = f"{MOST_BITS} of 64 bits of the image's difference hash and {MOST_GREY:g} of 255 grey values on average"
LARGEST_SIDE = 256  # sums of so many squared bytes are exact in float32, in whichever order they are added
IMAGES, TESTS, PAIRS = 1024, 256, 2**16  # that are in memory at a time
MOST_CANDIDATES = 32  # with one hash that an image is compared with

# what a hash differs by from all those that differ from it by MOST_BITS at most
FLIPS = np.array(
    [sum(1 << bit for bit in bits) for n in range(MOST_BITS + 1) for bits in combinations(range(64), n)], np.uint64
)

Greys = NDArray[np.uint8]  # (N, 16, 16)


class Thumbnails:
    """The hash and the grey values of each image, in files in the order of the rows."""

    difference = DIFFERENCE

    def __init__(self, folder: Path) -> None:
        self._path = folder / "thumbnails"
        self._path.write_bytes(b"")
        self._hashes: list[Digests] = []

    def add(self, column: Column, values: pa.Array) -> Digests:
        """The hashes (N,) of the next images."""
        found = []
        with self._path.open("ab") as stream:
            for start in range(0, len(values), IMAGES):
                greys = greys_of(column, values.slice(start, IMAGES))
                stream.write(greys.tobytes())
                found.append(difference_hashes(greys))
        self._hashes += found
        return np.concatenate([np.empty(0, np.uint64), *found])

    def num_tests_known(self, places: Places) -> int:
        """How many images for testing look the same as one for training or validation."""
        hashes = np.concatenate(self._hashes)
        greys = np.memmap(self._path, np.uint8, "r", shape=(len(hashes), SIDE * SIDE))
        others = np.flatnonzero(places != PLACES[TEST])
        others = others[np.argsort(hashes[others], kind="stable")]
        tests = np.flatnonzero(places == PLACES[TEST])
        parts = (tests[start : start + TESTS] for start in range(0, len(tests), TESTS))
        marks = Marks(hashes[others])
        return sum(num_known(part, others, hashes, greys, marks) for part in parts)


class Marks:
    """Tells of most hashes that they are not among those (N,) that it was made of: each of those marks one place of
    about 64 N. So few have to be looked up."""

    def __init__(self, hashes: Digests) -> None:
        self._shift = np.uint64(64 - min(26, len(hashes).bit_length() + 6))
        self._marked = np.zeros(2 ** (64 - int(self._shift)), bool)
        self._marked[self._places(hashes)] = True

    def may_hold(self, hashes: Digests) -> NDArray[np.bool_]:
        return self._marked[self._places(hashes)]

    def _places(self, hashes: Digests) -> Digests:
        return (hashes * GOLDEN) >> self._shift


def num_known(tests: NDArray[np.int64], others: NDArray[np.int64], hashes: Digests, greys: Greys, marks: Marks) -> int:
    """How many of the images `tests` (T,) look the same as one of `others` (N,), which are in the order of their
    hashes, of which `marks` are. All numbers are places in `hashes` (M,) and `greys` (M, 256)."""
    wanted = (hashes[tests][:, None] ^ FLIPS).reshape(-1)
    ordered = hashes[others]
    places = np.flatnonzero(marks.may_hold(wanted))
    first, last = (np.searchsorted(ordered, wanted[places], side) for side in ("left", "right"))
    counts = np.minimum(last - first, MOST_CANDIDATES)
    of_test = np.repeat(places // len(FLIPS), counts)
    starts = np.repeat(first - (np.cumsum(counts) - counts), counts)
    candidates = others[starts + np.arange(counts.sum())]
    known = np.zeros(len(tests), bool)
    for start in range(0, len(candidates), PAIRS):
        chosen = slice(start, start + PAIRS)
        pair = (greys[indices].astype(np.int16) for indices in (tests[of_test[chosen]], candidates[chosen]))
        close = np.abs(next(pair) - next(pair)).mean(axis=1) <= MOST_GREY
        known[of_test[chosen][close]] = True
    return int(known.sum())


def difference_hashes(greys: Greys) -> Digests:
    """The difference hash (N,) of each image."""
    rows = greys.reshape(len(greys), 8, 2, SIDE).sum(axis=2, dtype=np.int64)
    small = rows @ overlaps(SIDE, 9).T.astype(np.int64)
    bits = (small[:, :, :-1] < small[:, :, 1:]).reshape(len(greys), 64)
    return np.packbits(bits, axis=1).view(">u8")[:, 0].astype(np.uint64)


def greys_of(column: Column, values: pa.Array) -> Greys:
    """Each image in 16x16 grey values from 0 (its darkest) to 255; 0 where an image is missing."""
    if pa.types.is_fixed_size_list(values.type):
        return _listed(values, column.config.shape)  # type: ignore[attr-defined]
    return np.stack([_encoded(value) for value in values.to_pylist()])


def _listed(values: pa.Array, shape: list[int]) -> Greys:
    if values.null_count:
        values = values.fill_null(pa.scalar([0] * values.type.list_size, values.type))
    pixels = values.flatten().to_numpy(zero_copy_only=False).reshape(len(values), *shape)
    height, width = shape[:2]
    step = -(-max(height, width) // LARGEST_SIDE)
    colours = pixels[:, ::step, ::step, :3].astype(np.float32)
    plain = colours.mean(axis=3) if colours.shape[3] > 1 else colours[..., 0]
    # whole numbers from 0 to 255, whose sums are exact
    plain = np.rint(plain) if pixels.dtype == np.uint8 else _stretched(plain)
    high, wide = (overlaps(size, SIDE).astype(np.float32) for size in plain.shape[1:])
    sums = high @ plain @ wide.T
    greys: Greys = _stretched(sums / np.float32(plain.shape[1] * plain.shape[2])).astype(np.uint8)
    return greys


def _encoded(content: bytes | None) -> NDArray[np.uint8]:
    """An image in a file's bytes. JPEG is read at a fraction of its size, which is faster."""
    from PIL import Image

    if content is None:
        return np.zeros((SIDE, SIDE), np.uint8)
    with Image.open(io.BytesIO(content)) as image:
        image.draft("L", (4 * SIDE, 4 * SIDE))
        small = image.convert("L").resize((SIDE, SIDE), Image.Resampling.BOX)
    grey: NDArray[np.uint8] = _stretched(np.asarray(small, np.float32)[None])[0].astype(np.uint8)
    return grey


def _stretched(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    """Images (N, H, W) whose values are whole numbers from 0 to 255; all 0 where they are all the same."""
    low, high = (extreme(axis=(1, 2), keepdims=True) for extreme in (grey.min, grey.max))
    stretched: NDArray[np.float32] = np.rint((grey - low) * (np.float32(255) / np.where(high > low, high - low, 1)))
    return stretched


def overlaps(size: int, parts: int) -> NDArray[np.int64]:
    """How much of each of `size` cells lies in each of `parts` equal intervals (parts, size), in units of 1/parts of a
    cell. So all of them are whole numbers, and each interval has `size` units."""
    starts, cells = np.arange(parts)[:, None] * size, np.arange(size) * parts
    found: NDArray[np.int64] = np.minimum(starts + size, cells + parts) - np.maximum(starts, cells)
    return found.clip(0)
