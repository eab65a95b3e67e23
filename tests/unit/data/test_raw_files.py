"""A file's digest is kept, but not that of a file that changes meanwhile."""

import hashlib
from pathlib import Path

import pytest

from pipeline.data import raw_files
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

    monkeypatch.setattr(raw_files, "digest_file", digest_file)
    assert [raw_files.digests_of([file], layout)[file] for _ in range(2)] == [sha256(b"a")] * 2
    assert len(read) == 1
    file.write_bytes(b"bc")
    assert raw_files.digests_of([file], layout)[file] == sha256(b"bc")
    assert len(read) == 2


def test_a_file_that_is_edited_while_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, layout = tmp_path / "rows.csv", Layout(tmp_path)
    file.write_bytes(b"old")

    def edited(path: Path) -> str:
        found = sha256(path.read_bytes())
        path.write_bytes(b"newer")
        return found

    monkeypatch.setattr(raw_files, "digest_file", edited)
    assert raw_files.digests_of([file], layout)[file] == sha256(b"old")
    monkeypatch.undo()
    assert raw_files.digests_of([file], layout)[file] == sha256(b"newer")
