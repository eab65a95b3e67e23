"""A file's digest is kept, but not that of a file that changes meanwhile."""

import errno
import hashlib
from pathlib import Path

import pytest

from pipeline.data import file_digests, raw_files
from pipeline.data.formats.rows import TableFile, cannot_read
from pipeline.data.sources.files.config import FilesDataset
from pipeline.errors import DataError
from pipeline.layout import Layout


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_a_file_is_read_once_and_again_after_an_edit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, layout = tmp_path / "rows.csv", Layout(tmp_path)
    file.write_bytes(b"a")
    read: list[Path] = []

    def digest_file(path: Path) -> str:
        read.append(path)
        return sha256(path.read_bytes())

    monkeypatch.setattr(file_digests, "digest_file", digest_file)
    assert [file_digests.digests_of([file], layout)[file] for _ in range(2)] == [sha256(b"a")] * 2
    assert len(read) == 1
    file.write_bytes(b"bc")
    assert file_digests.digests_of([file], layout)[file] == sha256(b"bc")
    assert len(read) == 2


def test_a_file_that_is_edited_while_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, layout = tmp_path / "rows.csv", Layout(tmp_path)
    file.write_bytes(b"old")

    def edited(path: Path) -> str:
        found = sha256(path.read_bytes())
        path.write_bytes(b"newer")
        return found

    monkeypatch.setattr(file_digests, "digest_file", edited)
    assert file_digests.digests_of([file], layout)[file] == sha256(b"old")
    monkeypatch.undo()
    assert file_digests.digests_of([file], layout)[file] == sha256(b"newer")


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (errno.ENOENT, "rows.csv: not found."),
        (errno.EACCES, "rows.csv: cannot be read (Permission denied). Give yourself the right to read it."),
        (errno.EIO, "rows.csv: cannot be read (Input/output error)."),
    ],
)
def test_a_file_that_the_system_does_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, text: str
) -> None:
    def fail(path: Path) -> str:
        raise OSError(number, "as libraries say it in words of their own")

    file, layout = tmp_path / "rows.csv", Layout(tmp_path)
    file.write_bytes(b"a")
    monkeypatch.setattr(file_digests, "digest_file", fail)
    with pytest.raises(DataError) as caught:
        file_digests.digests_of([file], layout)
    error = OSError(number, "Failed to open local file")
    assert str(caught.value) == str(cannot_read(TableFile(file, "rows.csv"), "Parquet file", error)) == text


def test_one_digest_of_very_many_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a/1.txt", "a/2.txt", "b/1.txt"):
        (tmp_path / "data/raw/d" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "data/raw/d" / name).write_text(name)
    dataset, layout = FilesDataset(name="d", path="data/raw/d", content="text"), Layout(tmp_path)
    dataset.source = "files"
    assert list(raw_files.digests_of_files(dataset, layout)) == [f"data/raw/d/{n}.txt" for n in ("a/1", "a/2", "b/1")]
    monkeypatch.setattr(raw_files, "MOST_NAMED", 2)
    found = raw_files.digests_of_files(dataset, layout)
    assert list(found) == ["data/raw/d"]
    # the files of other folders, and a manifest, are named by themselves, as is what DVC does not watch
    rows = [tmp_path / "data/raw/list.csv", tmp_path / "tables/list.csv", tmp_path.parent / "list.csv"]
    rows[1].parent.mkdir()
    for manifest, name in zip(rows, ("data/raw/list.csv", "tables/list.csv", rows[2].as_posix()), strict=True):
        manifest.write_text("file,label\n")
        dataset.manifest = manifest.as_posix()
        assert raw_files.digests_of_files(dataset, layout).keys() == {"data/raw/d", name}
    dataset.manifest = None
    (tmp_path / "data/raw/d/a/1.txt").rename(tmp_path / "data/raw/d/b/2.txt")
    assert raw_files.digests_of_files(dataset, layout) != found, "the label of a file has changed"
