"""Files become rows as their dataset says, and whatever is not so is refused by one line that names the file."""

from pathlib import Path
from typing import Any

import pytest

from pipeline.config import check_all
from pipeline.data.sources.files import SOURCE, contents
from pipeline.data.sources.files.config import FilesDataset
from pipeline.errors import DataError

TEXTS = {
    "good/1.txt": "fine",
    "good/2.txt": "well made",
    "bad/old/1.txt": "broken",
    "bad/2.txt": "fell apart",
    ".hidden/3.txt": "x",
    "bad/.DS_Store": "x",
    "bad/Thumbs.db": "x",
}


def write(root: Path, texts: dict[str, str | bytes]) -> None:
    for name, text in texts.items():
        path = root / "d" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())


def dataset(**settings: Any) -> FilesDataset:
    standard = {"name": "made", "source": "files", "task": "binary", "path": "d", "content": "text"}
    config = FilesDataset(**{**standard, **settings})
    check_all(config)
    return config


def read(root: Path, **settings: Any) -> dict[str, list[Any]]:
    """All rows by column."""
    config = dataset(**settings)
    found: dict[str, list[Any]] = {column.name: [] for column in SOURCE.columns(config, root).all}
    for batch in SOURCE.batches(config, root):
        for name, values in batch.to_pydict().items():
            found[name] += values
    return found


def refusal(root: Path, **settings: Any) -> str:
    with pytest.raises(DataError) as caught:
        read(root, **settings)
    text = str(caught.value)
    assert "\n" not in text
    return text


@pytest.fixture(params=[None, 1], ids=["all at a time", "one at a time"])
def sizes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param:
        monkeypatch.setattr(contents, "MOST_FILES", request.param)


@pytest.mark.usefixtures("sizes")
def test_a_folder_for_each_class(tmp_path: Path) -> None:
    write(tmp_path, TEXTS)
    assert read(tmp_path) == {
        "text": ["fell apart", "broken", "fine", "well made"],
        "label": ["bad", "bad", "good", "good"],
    }
    names = [path.relative_to(tmp_path / "d").as_posix() for path in SOURCE.files(dataset(), tmp_path)]
    assert names == ["bad/2.txt", "bad/old/1.txt", "good/1.txt", "good/2.txt"]


def test_a_pattern_beside_class_folders(tmp_path: Path) -> None:
    write(tmp_path, {f"{kind}/{who}_{i}.txt": f"{kind} {who} {i}" for kind in "ab" for who in ("x", "y") for i in "12"})
    found = read(tmp_path, pattern=r".*/(?P<who>[a-z]+)_\d\.txt", group="who")
    assert found["label"] == list("aaaabbbb")
    assert found["who"] == list("xxyyxxyy")


def test_a_pattern_alone(tmp_path: Path) -> None:
    write(
        tmp_path, {f"{digit}_{who}_{i}.txt": f"{digit}{i}" for digit in "01" for who in ("ann", "bob") for i in "057"}
    )
    pattern = r"(?P<label>\d)_(?P<speaker>[a-z]+)_(?P<index>\d+)\.txt"
    found = read(tmp_path, labels="pattern", pattern=pattern, split="given", test_pattern=r".*_[0-4]\.txt")
    assert found["label"] == list("000000111111")
    assert found[":fold"] == ["test", "train", "train"] * 4
    assert set(found) == {"text", "label", ":fold"}


def test_a_manifest(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(
        tmp_path,
        {
            "1.txt": "one",
            "b/2.txt": "two",
            "3.txt": "three",
            "list.csv": "file,label,part,x\n./b/2.txt,no,v,1\n1.txt,yes,t,2\n",
        },
    )
    settings = {"labels": "manifest", "manifest": "d/list.csv", "group": "part"}
    assert read(tmp_path, **settings) == {"text": ["one", "two"], "label": ["yes", "no"], "part": ["t", "v"]}
    assert capsys.readouterr().out == "made: 1 file is not named in d/list.csv, and left out: 3.txt\n"


def test_folders_of_an_official_split(tmp_path: Path) -> None:
    write(
        tmp_path,
        {f"{part}/{kind}/{i}.txt": part + kind + i for part in ("train", "test") for kind in "ab" for i in "12"},
    )
    found = read(tmp_path, path="d/train", test_path="d/test", split="given")
    assert found["label"] == list("aabbaabb")
    assert found[":fold"] == ["train"] * 4 + ["test"] * 4
