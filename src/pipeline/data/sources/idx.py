"""Images and labels in files of the form idx, as MNIST and its like are published (LeCun, Cortes and Burges 1998)."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import IO, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from omegaconf import MISSING

from pipeline.config import DatasetConfig
from pipeline.config.checks import check
from pipeline.config.data import FOLD
from pipeline.data.formats.lines import COMPRESSIONS
from pipeline.data.schema import Column
from pipeline.data.sources.source import FOLD_OF_FILES, Columns, Source, target_column
from pipeline.data.types.category import CategoryColumn
from pipeline.data.types.image import ImageColumn
from pipeline.data.types.image_file import MOST_PIXELS
from pipeline.errors import DataError, not_readable
from pipeline.layout import TEST, TRAIN
from pipeline.tasks import TASKS

IMAGE, TARGET = "image", "label"
UNSIGNED_BYTE = 8  # the only type of value that images come in
BATCH, BATCH_BYTES = 4096, 2**24  # images at a time, or fewer where they take so much


@dataclass
class IdxDataset(DatasetConfig):
    """`images` and `labels` are files relative to the top folder of the checkout, gzipped if they end with .gz.
    `test_images` and `test_labels`, with `split: given`, are those of an official test split. `classes` are the names
    of the labels 0, 1 and so on."""

    images: str = MISSING
    labels: str = MISSING
    test_images: str | None = None
    test_labels: str | None = None
    classes: list[str] = field(default_factory=list)

    def check(self) -> None:
        super().check()
        both = (self.test_images is None) == (self.test_labels is None)
        check(both, "dataset.test_labels", self.test_labels, "test_images and test_labels, or neither")
        given = self.test_images is None or self.split == "given"
        check(given, "dataset.test_images", self.test_images, "nothing unless split: given")
        check(TASKS[self.task].has_classes, "dataset.task", self.task, "binary or multiclass")
        check(len(set(self.classes)) == len(self.classes) > 1, "dataset.classes", self.classes, "two names or more")

    @property
    def has_test_files(self) -> bool:
        return self.test_images is not None

    @property
    def pairs(self) -> dict[str, tuple[str, str]]:
        """The files of images and of labels of each split that has some."""
        found = {TRAIN: (self.images, self.labels)}
        if self.test_images is not None and self.test_labels is not None:
            found[TEST] = (self.test_images, self.test_labels)
        return found


def files(config: IdxDataset, root: Path) -> list[Path]:
    return [root / path for pair in config.pairs.values() for path in pair]


def columns(config: IdxDataset, root: Path) -> Columns:
    """An image and its label. How large the images are is written at the beginning of their file."""
    with _open(root, config.images) as stream:
        _, *shape = _image_header(stream, config.images)
    image = Column(IMAGE, ImageColumn("image", shape=[*shape, 1], pixels="uint8"))
    folds = {FOLD: Column(FOLD_OF_FILES, CategoryColumn("category"))} if config.has_test_files else {}
    return Columns([image], target_column(config, TARGET, config.classes), folds)


def batches(config: IdxDataset, root: Path) -> Iterator[pa.RecordBatch]:
    """The images of all files, some at a time. Raises DataError for files that are not what they should be."""
    expected = None
    for split, (images, labels) in config.pairs.items():
        with _open(root, images) as pixels, _open(root, labels) as numbers:
            count, *shape = _image_header(pixels, images)
            (labelled,) = _header(numbers, labels, 1)
            if labelled != count:
                raise DataError(f"{labels}: found {labelled} labels, expected {count}, as {images} has images.")
            if shape != (expected := expected or shape):
                raise DataError(f"{images}: found images of {shape}, expected {expected}, as in {config.images}.")
            at_once = max(1, min(BATCH, BATCH_BYTES // prod(shape)))
            for start in range(0, count, at_once):
                rows = min(at_once, count - start)
                values = _values(pixels, images, rows * prod(shape))
                found = _values(numbers, labels, rows)
                if (largest := int(found.max())) >= len(config.classes):
                    raise DataError(
                        f"{labels}: found the label {largest}, expected 0 to {len(config.classes) - 1}, of which "
                        "dataset.classes has the names."
                    )
                yield _batch(config, split, values.reshape(rows, -1), found)


def _batch(config: IdxDataset, split: str, pixels_NP: NDArray[np.uint8], labels_N: NDArray[np.uint8]) -> pa.RecordBatch:
    columns: dict[str, Any] = {
        IMAGE: pa.FixedSizeListArray.from_arrays(pa.array(pixels_NP.reshape(-1)), pixels_NP.shape[1]),
        TARGET: pa.array(np.array(config.classes)[labels_N]),
    }
    if config.has_test_files:
        columns[FOLD_OF_FILES] = pa.repeat(pa.scalar(split), len(labels_N))
    return pa.RecordBatch.from_pydict(columns)


def _open(root: Path, path: str) -> IO[bytes]:
    try:
        stream: IO[bytes] = pa.input_stream(root / path, compression=COMPRESSIONS.get(Path(path).suffix))
    except OSError as error:
        raise not_readable(path, error) from error
    return stream


def _header(stream: IO[bytes], path: str, dimensions: int) -> list[int]:
    """The sizes at the beginning of a file, which has so many dimensions."""
    start, expected = _read(stream, path, 4), bytes([0, 0, UNSIGNED_BYTE, dimensions])
    if start != expected:
        raise DataError(
            f"{path}: begins with {start.hex()}, expected {expected.hex()}: an idx file of unsigned bytes in "
            f"{dimensions} dimensions."
        )
    return [int(size) for size in np.frombuffer(_read(stream, path, 4 * dimensions), ">u4")]


def _image_header(stream: IO[bytes], path: str) -> list[int]:
    """How many images a file has, their height and their width. Raises DataError for a size that no image has, before
    so much is read: a damaged header may say anything."""
    count, height, width = _header(stream, path, 3)
    if not 0 < height * width <= MOST_PIXELS:
        raise DataError(
            f"{path}: says that its images have {height} x {width} pixels, expected 1 to {MOST_PIXELS:,} in all. It "
            "may be damaged; get it anew."
        )
    return [count, height, width]


def _values(stream: IO[bytes], path: str, count: int) -> NDArray[np.uint8]:
    return np.frombuffer(_read(stream, path, count), np.uint8)


def _read(stream: IO[bytes], path: str, size: int) -> bytes:
    try:
        found = stream.read(size)
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"{path}: cannot be read ({' '.join(str(error).split())}). Get it anew.") from error
    if len(found) < size:
        raise DataError(f"{path}: ends too early, found {len(found)} of {size} bytes. It may be cut off; get it anew.")
    return found


SOURCE = Source(IdxDataset, lambda config: ["image"], columns, batches, files)
