"""A table behind a URL is read as one on the disk is, and its fingerprint changes when it does."""

import gzip
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.data.raw_files import digests_of_files
from pipeline.data.sources.table import SOURCE
from pipeline.errors import DataError
from pipeline.layout import Layout
from tests.unit.data.test_table_source import GOOD, TABLE, dataset, read, refusal


@pytest.fixture
def memory() -> Iterator[Any]:
    system = fsspec.filesystem("memory")
    system.store.clear()
    yield system
    system.store.clear()


def parquet(path: Path) -> bytes:
    pq.write_table(pa.table(TABLE), path)
    return path.read_bytes()


def arrow(path: Path) -> bytes:
    with pa.ipc.new_file(path, pa.table(TABLE).schema) as writer:
        writer.write_table(pa.table(TABLE))
    return path.read_bytes()


def test_every_format(tmp_path: Path, memory: Any) -> None:
    records = [dict(zip(TABLE, row, strict=True)) for row in zip(*TABLE.values(), strict=True)]
    contents = {
        "t.csv": GOOD,
        "t.csv.gz": gzip.compress(GOOD),
        "t.csv.zst": pa.compress(GOOD, "zstd", asbytes=True),
        "t.jsonl": "\n".join(map(json.dumps, records)).encode(),
        "t.parquet": parquet(tmp_path / "made"),
        "t.feather": arrow(tmp_path / "made"),
    }
    for name, content in contents.items():
        memory.pipe(f"/bucket/{name}", content)
        (tmp_path / name).write_bytes(content)
        assert read(tmp_path, path=f"memory://bucket/{name}") == TABLE, name
        assert read(tmp_path, path=(tmp_path / name).as_uri()) == TABLE, name


def test_folders_globs_and_lists_beside_local_files(tmp_path: Path, memory: Any) -> None:
    for name in ("a.csv", "deep/b.csv", "_SUCCESS", ".hidden"):
        memory.pipe(f"/bucket/{name}", GOOD)
    assert len(read(tmp_path, path="memory://bucket")["x"]) == 6
    assert len(read(tmp_path, path="memory://bucket/*.csv")["x"]) == 3
    found = read(tmp_path, GOOD, path=["t.csv", "memory://bucket/deep/b.csv"], test_path="memory://bucket/a.csv",
                 split="given")  # fmt: skip
    assert found[":fold"] == ["train"] * 6 + ["test"] * 3


def test_an_edit_is_noticed(tmp_path: Path, memory: Any) -> None:
    layout, file = Layout(tmp_path), tmp_path / "behind.csv"
    (tmp_path / "t.csv").write_bytes(GOOD)
    file.write_bytes(GOOD)
    memory.pipe("/bucket/a.csv", GOOD)
    config = dataset(path=["t.csv", "memory://bucket/a.csv", file.as_uri()])
    before = digests_of_files(config, layout)
    assert list(before) == ["t.csv", "memory://bucket/a.csv", file.as_uri()]
    assert digests_of_files(config, layout) == before
    assert SOURCE.files(config, tmp_path) == [tmp_path / "t.csv"]
    memory.pipe("/bucket/a.csv", GOOD.replace(b"10", b"11"))
    file.write_bytes(GOOD.replace(b"10", b"11"))
    os.utime(file, ns=(1, 1))
    after = digests_of_files(config, layout)
    assert [name for name in after if after[name] != before[name]] == list(before)[1:]


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("memory://bucket/none.csv", "memory://bucket/none.csv: not found, or out of reach."),
        ("memory://bucket/*.csv", "memory://bucket/*.csv: not found, or out of reach."),
        ("s3://bucket/t.csv", "s3://bucket/t.csv: a package for it is not installed here (Install s3fs to access S3)."),
        ("what://t.csv", "what://t.csv: cannot be reached (ValueError: Protocol not known: what)."),
        ("memory://cut.parquet", "memory://cut.parquet: not a whole Parquet file ("),
        ("memory://empty.parquet", "memory://empty.parquet: empty, expected rows."),
        ("memory://bad.csv", "memory://bad.csv: column 'x': 1 value is not a finite number (row 1: '?')."),
    ],
)
def test_what_is_refused(tmp_path: Path, memory: Any, url: str, text: str) -> None:
    memory.pipe("/cut.parquet", b"PAR1 and no more")
    memory.pipe("/empty.parquet", b"")
    memory.pipe("/bad.csv", b"x,kind,y\n?,a,1\n")
    assert refusal(tmp_path, path=url).startswith(text)


def test_a_package_of_a_file_system_that_fails(tmp_path: Path, memory: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: Any, **settings: Any) -> Any:
        raise RuntimeError("no route\nto host")

    memory.pipe("/t.csv", GOOD)
    monkeypatch.setattr(type(memory), "info", fail)
    with pytest.raises(DataError, match=r"^memory://t.csv: cannot be reached \(RuntimeError: no route to host\)\.$"):
        SOURCE.remote(dataset(path="memory://t.csv"), tmp_path)
