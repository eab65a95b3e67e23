"""Images and labels in idx files: what is read, and what is refused."""

import gzip
import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from pipeline.data.sources import idx as idx_source
from pipeline.data.sources.idx import SOURCE, IdxDataset
from pipeline.data.sources.source import FOLD_OF_FILES
from pipeline.data.types.image import ImageColumn, pixels
from pipeline.errors import ConfigError, DataError

SHAPE = (3, 2)
CLASSES = ["shoe", "bag"]


def idx(values: np.ndarray) -> bytes:
    sizes = np.array(values.shape, ">u4").tobytes()
    return bytes([0, 0, 8, values.ndim]) + sizes + values.astype(np.uint8).tobytes()


def images(rows: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (rows, *SHAPE))


def labels(rows: int) -> np.ndarray:
    return np.arange(rows) % 2


def dataset(**changed: object) -> IdxDataset:
    settings = {"images": "x.gz", "labels": "y", "classes": CLASSES, **changed}
    return IdxDataset("made", "idx", "binary", **settings)  # type: ignore[arg-type]


def rows_of(config: IdxDataset, root: Path) -> pa.Table:
    return pa.Table.from_batches(SOURCE.batches(config, root))


def write(root: Path) -> None:
    (root / "x.gz").write_bytes(gzip.compress(idx(images(5))))
    (root / "y").write_bytes(idx(labels(5)))
    (root / "x.test").write_bytes(idx(images(2, seed=1)))
    (root / "y.test").write_bytes(idx(labels(2)))


def test_images_and_labels(tmp_path: Path) -> None:
    write(tmp_path)
    columns = SOURCE.columns(dataset(), tmp_path)
    (image,) = columns.features
    assert image.config == ImageColumn("image", shape=[*SHAPE, 1], pixels="uint8")
    found = rows_of(dataset(), tmp_path)
    assert found.schema.field("image").type == image.storage
    np.testing.assert_array_equal(pixels(found["image"].combine_chunks(), [*SHAPE, 1])[..., 0], images(5))
    assert found["label"].to_pylist() == ["shoe", "bag", "shoe", "bag", "shoe"]
    assert SOURCE.files(dataset(), tmp_path) == [tmp_path / "x.gz", tmp_path / "y"]


def test_large_images_are_read_a_few_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path)
    monkeypatch.setattr(idx_source, "BATCH_BYTES", 2 * 3 * 2)
    assert [batch.num_rows for batch in SOURCE.batches(dataset(), tmp_path)] == [2, 2, 1]


def test_a_folder_is_no_idx_file(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    with pytest.raises(DataError, match=r"^x: cannot be read \(Expected file path, but .*x is a directory\)\.$"):
        SOURCE.columns(dataset(images="x"), tmp_path)


def test_an_official_test_split(tmp_path: Path) -> None:
    write(tmp_path)
    config = dataset(split="given", test_images="x.test", test_labels="y.test")
    config.check()
    assert FOLD_OF_FILES in {column.name for column in SOURCE.columns(config, tmp_path).all}
    found = rows_of(config, tmp_path)
    assert found[FOLD_OF_FILES].to_pylist() == ["train"] * 5 + ["test"] * 2
    np.testing.assert_array_equal(pixels(found["image"].combine_chunks(), [*SHAPE, 1])[5:, ..., 0], images(2, seed=1))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("x.gz", None, "x.gz: not found."),
        ("x.gz", gzip.compress(idx(images(5)), mtime=0)[:-20], "x.gz: "),
        ("x.gz", idx(images(5)), "x.gz: cannot be read ("),
        (
            "x.gz",
            gzip.compress(idx(labels(5)), mtime=0),
            "x.gz: begins with 00000801, expected 00000803: an idx file",
        ),
        ("y", idx(labels(4)), "y: found 4 labels, expected 5, as x.gz has images."),
        ("y", idx(labels(5) + 1), "y: found the label 2, expected 0 to 1, of which dataset.classes has the names."),
        ("y", idx(labels(5))[:-1], "y: ends too early, found 4 of 5 bytes. It may be cut off; get it anew."),
        (
            "x.gz",
            gzip.compress(bytes([0, 0, 8, 3]) + np.array([5, 30_000, 30_000], ">u4").tobytes(), mtime=0),
            "x.gz: says that its images have 30000 x 30000 pixels, expected 1 to 80,000,000 in all. It may be damaged;",
        ),
        ("y", b"", "y: ends too early, found 0 of 4 bytes."),
    ],
)
def test_what_is_refused(name: str, content: bytes | None, message: str, tmp_path: Path) -> None:
    write(tmp_path)
    if content is None:
        (tmp_path / name).unlink()
    else:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=f"^{re.escape(message)}"):
        rows_of(dataset(), tmp_path)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"test_images": "x.test"},
            "dataset.test_labels: found None, expected test_images and test_labels",
        ),
        (
            {"test_images": "x.test", "test_labels": "y.test"},
            "dataset.test_images: found 'x.test', expected nothing",
        ),
        ({"classes": ["one"]}, "dataset.classes: found ['one'], expected two names or more."),
        ({"classes": ["a", "a"]}, "dataset.classes: found ['a', 'a'], expected two names or more."),
    ],
)
def test_settings_that_are_refused(changed: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}"):
        dataset(**changed).check()
