"""Files become rows as their dataset says, and whatever is not so is refused by one line that names the file."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from pipeline.config import check_all
from pipeline.data.formats import lines
from pipeline.data.formats.finding import find_files
from pipeline.data.formats.rows import TableFile
from pipeline.data.schema import Column, Schema
from pipeline.data.sources.files import SOURCE, contents
from pipeline.data.sources.files.config import FilesDataset, content_of
from pipeline.errors import ConfigError, DataError
from pipeline.serving.rows import read_rows

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


def test_folders_of_an_official_split_are_no_classes(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            f"{split}/{kind}/{i}.txt": f"{split} {kind} {i}"
            for split in ("Train", "test")
            for kind in "ab"
            for i in "12"
        },
    )
    text = refusal(tmp_path)
    assert text.startswith("d: its folders are Train, test, which looks like an official split and not like classes. ")
    assert "Set path: d/Train, and with split: given test_path" in text
    assert set(read(tmp_path, path="d/Train", test_path="d/test", split="given")["label"]) == {"a", "b"}
    assert set(read(tmp_path, classes=["Train", "test"])["label"]) == {"Train", "test"}


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


GOOD = {f"{kind}/{i}.txt": kind + i for kind in "ab" for i in "123"}
PATTERN = {"labels": "pattern", "pattern": r"(?P<label>\w)/(?P<number>\d)\.txt"}
TABLE = {"labels": "manifest", "manifest": "d/list.csv"}
ONE = "d: 1 file cannot be used "
# files beside GOOD, settings, and what is said
REFUSED: list[tuple[dict[str, str | bytes], dict[str, Any], str]] = [
    ({"a/4.text": "x"}, {}, f"{ONE}(a/4.text: expected a name that ends with .txt)."),
    ({"a/4.txt": b"ab\xff"}, {}, f"{ONE}(a/4.txt: not UTF-8, byte 3 is 0xff)."),
    (
        {"a/4.txt": "ab".encode("utf-16-le")},
        {},
        f"{ONE}(a/4.txt: byte 2 is 0x00, which is in no text; it",
    ),
    ({"a/4.txt": "", "b/4.txt": ""}, {}, "d: 2 files cannot be used (a/4.txt: empty; b/4.txt: empty)."),
    ({"4.txt": "x"}, {}, f"{ONE}(4.txt: in no folder of a class)."),
    ({"a/x\ny.txt": ""}, {}, f"{ONE}('a/x\\ny.txt': empty)."),
    ({"c/1.txt": "x"}, {}, "d/c: 1 file of the class 'c', expected 2 or more. Add files, or remove the folder."),
    ({"c/.DS_Store": "x"}, {}, "d/c: 0 files of the class 'c', expected 2 or more."),
    (
        {"None/1.txt": "x", "None/2.txt": "y"},
        {},
        "d: 2 files cannot be used (None/1.txt: 'None' is not a category, the value of 'label'; None/2.txt: 'None' is "
        "not a category, the value of 'label'). Name all classes in classes (classes: ['None', ...]) if it is the name "
        "of one. Set on_bad_row",
    ),
    ({"a/10.txt": "x"}, PATTERN, f"{ONE}(a/10.txt: the pattern does not match)."),
    ({}, {**PATTERN, "pattern": "(?P<label>.)/.(?P<who>4)?.txt", "group": "who"}, "a/1.txt: no value of 'who'; "),
    ({}, {**PATTERN, "task": "regression"}, "a/1.txt: 'a' is not a finite number, the value of 'label'"),
    ({"list.csv": "file,label\na/9.txt,y\n"}, TABLE, f"{ONE}(a/9.txt: named in d/list.csv, but not there)."),
    ({"list.csv": "file,label\na/1.txt,x\n./a/1.txt,y\n"}, TABLE, "d/list.csv: names a/1.txt twice, expected each"),
    ({"list.csv": "file,label\na/1.txt,x\na/2.txt,\n"}, TABLE, "'label': 1 value is not a category (row 2: '')."),
    ({"list.csv": "name,label\na/1.txt,x\n"}, TABLE, "d/list.csv: there is no column 'file' (name, label)."),
    ({}, TABLE, "d/list.csv: not found."),
    ({}, {"path": "e"}, "e: not found, expected a folder."),
    ({}, {"path": "d/a/1.txt"}, "d/a/1.txt: a file, expected a folder."),
]


@pytest.mark.parametrize(("files", "settings", "text"), REFUSED, ids=[text for *_, text in REFUSED])
def test_what_is_refused(files: dict[str, str | bytes], settings: dict[str, Any], text: str, tmp_path: Path) -> None:
    write(tmp_path, GOOD | files)
    assert text in refusal(tmp_path, **settings)


def test_ten_bad_files_are_named_and_all_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, GOOD | {f"a/{i:02}.txt": "" for i in range(12)} | {"b/x.csv": "x"})
    text = refusal(tmp_path)
    assert text.startswith(
        "d: 13 files cannot be used (b/x.csv: expected a name that ends with .txt; a/00.txt: empty; "
    )
    assert text.endswith("a/08.txt: empty; ...). Set on_bad_row: skip to leave such files out.")
    assert read(tmp_path, on_bad_row="skip")["text"] == ["a1", "a2", "a3", "b1", "b2", "b3"]
    assert capsys.readouterr().out.startswith("made: skipped: 13 files cannot be used (b/x.csv: ")


def test_a_class_without_a_file_that_can_be_used(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, GOOD | {"c/1.txt": "", "c/2.txt": b"\xff"})
    text = refusal(tmp_path, on_bad_row="skip")
    assert text.startswith(
        "d: class 'c': none of its files can be used, expected one or more. Get them anew, or remove"
    )
    assert set(read(tmp_path, **PATTERN, on_bad_row="skip")["label"]) == {"a", "b"}
    assert capsys.readouterr().out.startswith(
        "made: classes of which no file in d can be used: c\nmade: skipped: 2 files"
    )


def test_links(tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "4.txt").write_text("far")
    link = tmp_path / "d" / "a" / "4.txt"
    for target, text in (
        ("../../outside/4.txt", "d/a/4.txt: a link that leaves the folder. Copy the file into it."),
        ("../b", "d/a/4.txt: a link to a folder, whose files would be read twice. Remove the link."),
        ("nothing", "d/a/4.txt: no file that can be read (a link to nothing)."),
    ):
        link.symlink_to(target)
        assert text in refusal(tmp_path)
        link.unlink()
    link.symlink_to("../b/1.txt")
    assert read(tmp_path)["text"] == ["a1", "a2", "a3", "b1", "b1", "b2", "b3"]
    # the folder itself may be a link
    (tmp_path / "other").symlink_to("d")
    assert len(read(tmp_path, path="other")["text"]) == 7


def test_an_empty_folder(tmp_path: Path) -> None:
    write(tmp_path, {".DS_Store": "x"})
    assert refusal(tmp_path) == "d: no files in this folder, expected one or more."


def test_a_folder_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, GOOD)

    def refuse(path: Path) -> None:
        raise PermissionError(errno.EACCES, "no", "d/b")

    monkeypatch.setattr(os, "scandir", refuse)  # since root, as which tests may run, may read everything
    assert refusal(tmp_path) == "d/b: cannot be read (Permission denied). Give yourself the right to read it."
    with pytest.raises(
        DataError, match=r"^d/b: cannot be read \(Permission denied\)\. Give yourself the right to read"
    ):
        find_files(["d"], tmp_path)


def test_bad_files_of_several_folders(tmp_path: Path) -> None:
    write(tmp_path, {f"{part}/{name}": text for part in ("train", "test") for name, text in GOOD.items()})
    write(tmp_path, {"test/a/1.txt": ""})
    text = refusal(tmp_path, path="d/train", test_path="d/test/", split="given")
    assert text.startswith("d/train and d/test/: 1 file cannot be used (d/test/a/1.txt: empty). ")


@pytest.mark.parametrize(
    ("path", "test_path", "text"),
    [
        (
            "d",
            "d/a",
            "d/a: test_path is in path (d), so its files would be read twice. Name folders of which none is in",
        ),
        ("d/b", "d", "d/b: path is in test_path (d), so its files would be read twice."),
        ("d/a", "d/./a/", "d/a: path is in test_path (d/./a/), so"),
        ("d/a", "link", "d/a: path is in test_path (link), so"),
    ],
)
def test_folders_that_share_files(path: str, test_path: str, text: str, tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    (tmp_path / "link").symlink_to("d/a")
    config = dataset(**PATTERN, path=path, test_path=test_path, split="given")
    for look in (SOURCE.files, lambda *given: list(SOURCE.batches(*given))):
        with pytest.raises(DataError) as caught:
            look(config, tmp_path)
        assert str(caught.value).startswith(text)


def test_files_of_skipped_rows_of_a_manifest(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, {"1.txt": "one", "2.txt": "two", "list.csv": "file,label\n1.txt,yes\n2.txt,\n"})
    assert read(tmp_path, **TABLE, on_bad_row="skip")["text"] == ["one"]
    said = capsys.readouterr().out.splitlines()
    assert said[1:] == ["made: 1 file is not named in d/list.csv (or in rows that were skipped), and left out: 2.txt"]


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"content": "number"}, "dataset.content.type: 'number' is unknown (audio, image, text"),
        ({"content": {"type": "image", "shape": [4]}}, "dataset.content.shape: found [4]"),
        (
            {"content": {"type": "audio", "rate": 8000, "seconds": 1.0, "missing": ["x"]}},
            "dataset.content.missing: found ['x'], expected none for audio",
        ),
        (
            {"content": {"type": "image", "shape": [4, 4, 1]}, "lines": True},
            "dataset.lines: found True, expected false, since content is no text",
        ),
        ({"labels": "name"}, "dataset.labels: 'name' is unknown (folder, pattern, manifest)"),
        ({"labels": "pattern"}, "dataset.pattern: found None, expected a regular expression"),
        ({"labels": "pattern", "pattern": "(?P<kind>.*)"}, "dataset.target: found 'label', expected a named group"),
        ({"pattern": "(?P<who>"}, "no regular expression"),
        ({"group": "who"}, "dataset.group: found 'who', expected a named group of dataset.pattern (none)"),
        ({"labels": "manifest"}, "dataset.manifest: found None, expected the path of a table"),
        ({"test_path": "e"}, "dataset.test_path: found 'e', expected nothing unless split: given"),
        ({"columns": {"x": "number"}}, "dataset.columns.x: found 'x', expected the target or a column with a role"),
        ({**TABLE, "target": "text"}, "dataset.target: found 'text', expected another column than that of the content"),
        ({**TABLE, "target": "file"}, "dataset.target: found 'file', expected another column than that of the paths"),
        ({**TABLE, "group": "file"}, "dataset.group: found 'file', expected another column than that of the paths"),
        ({**TABLE, "group": "text"}, "dataset.group: found 'text', expected another column than that of the content"),
        ({**TABLE, "group": "label"}, "dataset.group: found 'label', expected another column than that of the target"),
        ({"target": "text"}, "dataset.target: found 'text', expected another column than that of the content"),
        ({"classes": ["a", "b", "b"]}, "dataset.classes: found ['b'], expected each class once"),
        (
            {**TABLE, "classes": ["a", "b"], "task": "regression"},
            "dataset.classes: found ['a', 'b'], expected none with task: regression",
        ),
    ],
)
def test_settings_that_are_refused(settings: dict[str, Any], text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        dataset(**settings)
    assert text in str(caught.value)


def test_roles_with_types_of_their_own(tmp_path: Path) -> None:
    write(tmp_path, {f"{day:02}.02.2024_{i}.txt": f"{day} {i}" for day in (1, 3) for i in (1, 2)})
    found = read(
        tmp_path,
        task="regression",
        labels="pattern",
        pattern=r"(?P<seen>.*)_(?P<size>\d)\.txt",
        target="size",
        split="time",
        time="seen",
        columns={"seen": {"type": "date", "format": "%d.%m.%Y"}},
    )
    assert found["size"] == [1.0, 2.0, 1.0, 2.0]
    assert [day.day for day in found["seen"]] == [1, 1, 3, 3]


def test_texts_that_stand_for_a_missing_value(tmp_path: Path) -> None:
    """As a model that is served takes them: after a text was brought to one form."""
    content = {"type": "text", "lower": True, "missing": ["n/a", "(none)\n"]}
    write(tmp_path, {"a/1.txt": "N/A", "a/2.txt": "n/a\n", "b/1.txt": "(None)\n", "b/2.txt": "Fine"})
    assert read(tmp_path, content=content)["text"] == [None, "n/a\n", None, "fine"]
    column = Column("text", content_of(dataset(content=content)).config, nullable=True)
    served = Schema("made", "binary", "hash", [column], "label", [])
    given = pa.table({"text": pa.array([b"N/A", b"n/a\n", b"(None)\n", b"Fine"])})
    assert read_rows(served, given, "input")["text"].to_pylist() == [None, "n/a\n", None, "fine"]


LINES = {"lines": True, "labels": "pattern", "pattern": r"(?P<label>.*)\.txt"}


def test_each_line_is_a_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, {"yes.txt": "\ufefffine\r\n\r\n well \u2028made\rgood", "no.txt": "bad\n\nn/a\n"})
    texts = ["bad", None, "fine", " well \u2028made", "good"]
    for size in (lines.BLOCK, 3):
        monkeypatch.setattr(lines, "BLOCK", size)
        found = read(tmp_path, **LINES, content={"type": "text", "missing": ["n/a"]})
        assert found == {"text": texts, "label": ["no", "no", "yes", "yes", "yes"]}
    write(tmp_path, {"a/1.txt": "one\ntwo", "b/1.txt": "gr\u00fc\u00df".encode("utf-16")})
    # a class may have one file
    for name in ("yes.txt", "no.txt"):
        (tmp_path / "d" / name).unlink()
    said = refusal(tmp_path, lines=True)
    assert said == (
        "d: 1 line or file cannot be used (b/1.txt: found UTF-16, expected utf-8. Set encoding: utf-16). Set "
        "on_bad_row: skip to leave such lines or files out."
    )
    (tmp_path / "d" / "a" / "1.txt").write_text("one\ntwo", encoding="utf-16")
    assert read(tmp_path, lines=True, encoding="utf-16")["text"] == ["one", "two", "gr\u00fc\u00df"]


def test_bad_lines_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(
        tmp_path,
        {"yes.txt": b"a\n\nb\xff\nc\0\n", "no.txt": "\n\n", "so.txt": "", "x.csv": "x", "z.txt": "good\nlonely"},
    )
    words = (
        "5 lines or files cannot be used (x.csv: expected a name that ends with .txt; no.txt: all its lines are empty; "
        "so.txt: empty, expected rows; yes.txt, line 3: not UTF-8, byte 2 is 0xff; yes.txt, line 4: byte 2 is 0x00, "
        "which is in no text; it may be UTF-16 or no text at all)."
    )
    assert refusal(tmp_path, **LINES).startswith(f"d: {words} Set on_bad_row: skip to")
    assert read(tmp_path, **LINES, on_bad_row="skip")["text"] == ["a", "good", "lonely"]
    lost = "made: classes of which no file in d can be used: no, so"
    assert capsys.readouterr().out == f"{lost}\nmade: skipped: {words}\n"


@pytest.mark.parametrize(
    ("encoding", "wrong", "byte"),
    [("cp1252", b"b\x81\n", "0x81"), ("utf-16-le", b"b\0\x00\xd8\n\0", "0x00"), ("shift_jis", b"\xff\n", "0xff")],
)
def test_a_line_that_is_not_in_the_encoding_is_left_out_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoding: str, wrong: bytes, byte: str
) -> None:
    good = [f"good {i}" for i in range(4)]
    first, *others = (f"{line}\n".encode(encoding) for line in good)
    write(tmp_path, {"yes.txt": first + wrong + b"".join(others), "no.txt": "bad\n".encode(encoding)})
    said = f"d: 1 line or file cannot be used (yes.txt, line 2: not {encoding}, found the byte {byte}). Set on_bad_row:"
    for size in (lines.BLOCK, 3):
        monkeypatch.setattr(lines, "BLOCK", size)
        assert refusal(tmp_path, **LINES, encoding=encoding).startswith(said)
        assert read(tmp_path, **LINES, encoding=encoding, on_bad_row="skip")["text"] == ["bad", *good]
    write(tmp_path, {"no.txt": "bad\n".encode(encoding) + b"\x81"})
    text = refusal(tmp_path, **LINES, encoding=encoding)
    assert text.startswith("d: 2 lines or files cannot be used (no.txt, line 2: not ")


def test_utf_16_without_its_mark(tmp_path: Path) -> None:
    write(tmp_path, {"yes.txt": "one\ntwo\n".encode("utf-16-le"), "no.txt": "bad\n".encode("utf-16")})
    text = refusal(tmp_path, **LINES, encoding="utf-16")
    assert "(yes.txt: not utf-16 (UTF-16 stream does not start with BOM). Set encoding)." in text


def test_no_half_of_a_file_is_in_a_dataset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, {"yes.txt": "one\ntwo\n", "no.txt": "bad\n"})
    whole = lines.chunks

    def until_the_disk_fails(file: TableFile, size: int) -> Iterator[bytes]:
        yield from whole(file, 4)
        raise DataError(f"{file.name}: not a whole file (Input/output error).")

    monkeypatch.setattr(lines, "chunks", until_the_disk_fails)
    with pytest.raises(DataError, match=r"^no.txt: not a whole file"):
        read(tmp_path, **LINES, on_bad_row="skip")


def test_the_lines_of_a_file_have_its_group(tmp_path: Path) -> None:
    write(tmp_path, {"yes/one.txt": "a\nb\n", "yes/two.txt": "c\n", "no/three.txt": "d\n"})
    pattern = r"(?P<label>[a-z]+)/(?P<book>.*)\.txt"
    found = read(tmp_path, lines=True, labels="pattern", pattern=pattern, group="book")
    assert found["book"] == ["three", "one", "one", "two"]


def test_lines_of_an_official_split(tmp_path: Path) -> None:
    write(tmp_path, {f"{part}_{kind}.txt": f"{part}\n{kind}" for part in ("train", "test") for kind in "ab"})
    pattern = r"[a-z]+_(?P<label>.)\.txt"
    found = read(tmp_path, **LINES | {"pattern": pattern}, split="given", test_pattern="test_.*")
    assert found[":fold"] == ["test"] * 4 + ["train"] * 4
    assert found["label"] == list("aabb" * 2)


def test_texts_that_are_odd(tmp_path: Path) -> None:
    texts = {"a/1.txt": "x" * 2**20, "a/2.txt": "\u200f\u05d0\u202e \n", "b/1.txt": "\ufeffmark", "b/2.txt": " "}
    write(tmp_path, texts)
    assert read(tmp_path)["text"] == ["x" * 2**20, "\u200f\u05d0\u202e \n", "mark", " "]
