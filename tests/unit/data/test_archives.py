"""Archives are datasets as folders are, and whatever is not safe to unpack is refused and leaves nothing behind."""

import errno
import gzip
import io
import stat
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from pipeline.config import PrepareConfig, SplitConfig
from pipeline.data import archives
from pipeline.data.archives import find_place, unpack
from pipeline.data.raw_files import digests_of_files
from pipeline.data.sources import fasta, table
from pipeline.data.sources.fasta import FastaDataset
from pipeline.data.sources.files import SOURCE
from pipeline.data.writing import write_prepared
from pipeline.errors import DataError
from pipeline.layout import Layout
from tests.unit.data.test_files_source import dataset, read, refusal
from tests.unit.data.test_table_source import dataset as tabled

TEXTS = {
    "opinions/train/good/1.txt": "fine",
    "opinions/train/good/2.txt": "well made",
    "opinions/train/bad/1.txt": "broken",
    "opinions/train/bad/2.txt": "fell apart",
    "opinions/train/bad/.DS_Store": "x",
    "opinions/test/good/1.txt": "very fine",
    "opinions/test/bad/1.txt": "very bad",
    "__MACOSX/opinions/1.txt": "x",
}
NAMES = ["all.zip", "all.tar", "all.tar.gz", "all.TGZ"]


def packed(path: Path, texts: dict[str, str], *more: tarfile.TarInfo) -> Path:
    """An archive with these files, and with members of a tar that have no content."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, text in texts.items():
                archive.writestr(name, text)
        return path
    with tarfile.open(path, "w:gz" if path.suffix.lower() in (".gz", ".tgz") else "w") as tar:
        for name, text in texts.items():
            info = tarfile.TarInfo(name)
            info.size = len(text)
            tar.addfile(info, io.BytesIO(text.encode()))
        for info in more:
            tar.addfile(info)
    return path


def left(root: Path) -> list[str]:
    """What stands in the folder of unpacked archives."""
    return [path.name for path in Layout(root).unpacked("x").parent.glob("*")]


@pytest.mark.parametrize("name", NAMES)
def test_folders_in_an_archive(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    archive = packed(tmp_path / name, TEXTS)
    settings: dict[str, Any] = {"path": f"{name}/opinions/train", "test_path": f"{name}/opinions/test/"}
    found = read(tmp_path, **settings, split="given")
    assert found["text"] == ["fell apart" if i else "broken" for i in (0, 1)] + ["fine", "well made"] + [
        "very bad",
        "very fine",
    ]
    assert found["label"] == ["bad", "bad", "good", "good", "bad", "good"]
    assert found[":fold"] == ["train"] * 4 + ["test"] * 2
    assert capsys.readouterr().out == f"{name}: unpacked\n", "once"
    assert SOURCE.files(dataset(**settings, split="given"), tmp_path) == [archive]
    (digest,) = digests_of_files(dataset(**settings, split="given"), Layout(tmp_path)).values()
    assert left(tmp_path) == [digest]
    # another archive of this name is unpacked anew, and what was in the former one is removed
    packed(archive, {f"{kind}/{i}.txt": f"{kind}{i}" for kind in "ab" for i in "12"})
    assert read(tmp_path, path=name)["text"] == ["a1", "a2", "b1", "b2"]
    assert len(left(tmp_path)) == 1
    assert left(tmp_path) != [digest]
    assert refusal(tmp_path, path=f"{name}/opinions") == f"{name}/opinions: not found, expected a folder."


def test_what_another_archive_holds_too_is_not_removed(tmp_path: Path) -> None:
    for name in ("a.zip", "b.zip"):
        packed(tmp_path / name, {"1.txt": "one"})
    shared = [find_place(name, tmp_path).path for name in ("a.zip", "b.zip")]
    assert shared[0] == shared[1]
    packed(tmp_path / "a.zip", {"1.txt": "two"})
    assert (find_place("a.zip", tmp_path).path / "1.txt").read_text() == "two"
    assert (shared[1] / "1.txt").read_text() == "one"


def test_a_manifest_in_an_archive(tmp_path: Path) -> None:
    packed(tmp_path / "all.zip", {"list.csv": "file,label\n1.txt,yes\n2.txt,no\n", "1.txt": "one", "2.txt": "two"})
    settings = {"path": "all.zip", "labels": "manifest", "manifest": "all.zip/list.csv"}
    assert read(tmp_path, **settings) == {"text": ["one", "two"], "label": ["yes", "no"]}
    assert SOURCE.files(dataset(**settings), tmp_path) == [tmp_path / "all.zip"]
    (tmp_path / "other.csv").write_text("file,label\n1.txt,yes\n2.txt,\n")
    text = refusal(tmp_path, **settings | {"manifest": "other.csv"})
    assert text.startswith("other.csv: column 'label'")


@pytest.mark.parametrize("name", NAMES)
def test_tables_and_sequences_in_an_archive(name: str, tmp_path: Path) -> None:
    rows = {f"all/{i}.csv": f"x,kind,y\n{i},a,{i}\n{i},b,1\n" for i in (1, 2)}
    packed(tmp_path / name, rows | {"all/genes.fa": ">one\nACGT\n", "__MACOSX/3.csv": "x"})
    config = tabled(path=[f"{name}/all/*.csv"], constant="accept")
    found = pa.Table.from_batches(table.SOURCE.batches(config, tmp_path))
    assert found["y"].to_pylist() == [1.0, 1.0, 2.0, 1.0]
    assert set(table.SOURCE.files(config, tmp_path)) == {tmp_path / name}
    assert list(digests_of_files(config, Layout(tmp_path))) == [name]
    genes = FastaDataset("made", "fasta", "binary", path={"up": f"{name}/all/genes.fa"})
    (batch,) = fasta.SOURCE.batches(genes, tmp_path)
    assert batch.to_pydict() == {"sequence": ["ACGT"], "label": ["up"]}
    assert fasta.SOURCE.files(genes, tmp_path) == [tmp_path / name]
    wrong = tabled(path=[f"{name}/all/1.csv"], target="z")
    with pytest.raises(DataError, match=rf"^{name}/all/1\.csv: there is no column 'z'"):
        list(table.SOURCE.batches(wrong, tmp_path))
    with pytest.raises(DataError, match=rf"^{name}/none: not found\.$"):
        table.SOURCE.files(tabled(path=f"{name}/none"), tmp_path)


def test_an_archive_is_prepared_as_its_folder_is(tmp_path: Path) -> None:
    texts = {f"{kind}/{i}.txt": f"{kind} number {i}" for kind in ("good", "bad") for i in range(40)}
    packed(tmp_path / "all.tar.gz", texts)
    with tarfile.open(tmp_path / "all.tar.gz") as tar:
        tar.extractall(tmp_path / "folder", filter="data")
    found = []
    for path in ("all.tar.gz", "folder"):
        place = tmp_path / f"prepared from {path}"
        place.mkdir()
        write_prepared(PrepareConfig(SplitConfig(1, 0.2, 0.2), dataset(path=path)), place, tmp_path)
        found.append({file.name: file.read_bytes() for file in place.iterdir()})
    assert found[0] == found[1]


def member(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


OUTSIDE = "would be unpacked outside of its folder. Do not trust whoever has packed this."
ONLY_FILES = "expected files and folders alone. Pack it without."
BY_HAND = "If that is right, unpack it by hand, and name the folder in path."
# files, members without content, and what is said
UNSAFE: list[tuple[dict[str, str], list[tarfile.TarInfo], str]] = [
    ({"../x.txt": "x"}, [], f"'../x.txt' {OUTSIDE}"),
    ({"a/../../x.txt": "x"}, [], f"'a/../../x.txt' {OUTSIDE}"),
    ({"/tmp/x.txt": "x"}, [], f"'/tmp/x.txt' {OUTSIDE}"),
    ({"C:\\x.txt": "x"}, [], f"'C:\\\\x.txt' {OUTSIDE}"),
    ({"a\\..\\..\\x.txt": "x"}, [], OUTSIDE),
    ({"good\\1.txt": "x"}, [], "'good\\\\1.txt' has a backslash in its name, expected / between folders."),
    ({"a/1.txt": "x"}, [member("b", tarfile.SYMTYPE, "a")], f"'b' is a link, {ONLY_FILES}"),
    ({"a/1.txt": "x"}, [member("a/2.txt", tarfile.LNKTYPE, "a/1.txt")], f"'a/2.txt' is a link, {ONLY_FILES}"),
    ({"a/1.txt": "x"}, [member("b", tarfile.SYMTYPE, "/etc")], f"'b' is a link, {ONLY_FILES}"),
    ({}, [member("null", tarfile.CHRTYPE)], f"'null' is neither a file nor a folder, {ONLY_FILES}"),
    ({}, [member("disk", tarfile.BLKTYPE)], f"'disk' is neither a file nor a folder, {ONLY_FILES}"),
    ({}, [member("pipe", tarfile.FIFOTYPE)], f"'pipe' is neither a file nor a folder, {ONLY_FILES}"),
    ({"a/1.txt": "x", "./a/1.txt": "y"}, [], "holds './a/1.txt' twice, expected each file once. Pack it anew."),
    ({"a": "x", "a/1.txt": "y"}, [], "cannot be unpacked (File exists). If it is cut off or damaged, get it anew."),
    ({f"{i}.txt": "x" for i in range(5)}, [], f"found more than 4 members, expected fewer. {BY_HAND}"),
    ({"1.txt": "0123456789" * 11}, [], f"unpacks to more than 100 bytes, expected fewer. {BY_HAND}"),
]


@pytest.mark.parametrize("name", ["all.zip", "all.tar.gz"])
@pytest.mark.parametrize(("texts", "more", "said"), UNSAFE, ids=[said for *_, said in UNSAFE])
def test_what_is_not_unpacked(
    texts: dict[str, str],
    more: list[tarfile.TarInfo],
    said: str,
    name: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if more and name == "all.zip":
        pytest.skip("a zip archive has no such members, but for links, which have a test of their own")
    monkeypatch.setattr(archives, "MOST_MEMBERS", 4)
    monkeypatch.setattr(archives, "MOST_BYTES", 100)
    (tmp_path / "checkout").mkdir()
    packed(tmp_path / "checkout" / name, texts, *more)
    text = refusal(tmp_path / "checkout", path=name)
    assert text.startswith(f"{name}: ")
    assert said in text
    assert left(tmp_path / "checkout") == []
    assert [path.name for path in tmp_path.iterdir()] == ["checkout"]


@pytest.mark.parametrize("name", ["all.zip", "all.tar.gz"])
def test_what_takes_much_more_space_than_its_archive(name: str, tmp_path: Path) -> None:
    size = packed(tmp_path / name, {"a/1.txt": "0" * 10**6}).stat().st_size
    said = f"{name}: unpacks to more than 200 times its {size:,} bytes, as no dataset does. {BY_HAND}"
    assert refusal(tmp_path, path=name) == said
    assert left(tmp_path) == []


def test_a_link_in_a_zip(tmp_path: Path) -> None:
    for mode, said in ((stat.S_IFLNK, "a link"), (stat.S_IFCHR, "neither a file nor a folder")):
        with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
            info = zipfile.ZipInfo("a/1.txt")
            info.external_attr = (mode | 0o777) << 16
            archive.writestr(info, "/etc/passwd")
        assert refusal(tmp_path, path="all.zip") == f"all.zip: 'a/1.txt' is {said}, {ONLY_FILES}"
        assert left(tmp_path) == []


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("share", [0.3, 0.9])
def test_what_is_cut_off(name: str, share: float, tmp_path: Path) -> None:
    content = packed(tmp_path / name, {f"{i}.txt": f"{i}" * (200 + i) for i in range(99)}).read_bytes()
    (tmp_path / name).write_bytes(content[: int(share * len(content))])
    text = refusal(tmp_path, path=name)
    assert text.startswith(f"{name}: cannot be unpacked (")
    assert text.endswith("). If it is cut off or damaged, get it anew.")
    assert left(tmp_path) == []


def test_a_tar_that_ends_between_two_members(tmp_path: Path) -> None:
    content = packed(tmp_path / "all.tar", TEXTS).read_bytes()
    (tmp_path / "all.tar").write_bytes(content[:2048])
    assert refusal(tmp_path, path="all.tar").startswith("all.tar: cannot be unpacked (unexpected end of data). ")


@pytest.mark.parametrize("name", NAMES)
def test_what_is_no_archive(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"no archive at all")
    with pytest.raises(DataError, match=rf"^{name}: cannot be unpacked \("):
        find_place(name, tmp_path)


def test_a_header_is_not_unpacked_beyond_what_an_archive_may_hold(tmp_path: Path) -> None:
    """A tar whose one member has a name of 300 million letters packs to 300 kilobytes."""
    size = 300_000_000
    info = tarfile.TarInfo("././@LongLink")
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, size
    path = tmp_path / "all.tar.gz"
    with gzip.GzipFile(path, "wb", 9, mtime=0) as out:
        out.write(info.tobuf(tarfile.GNU_FORMAT))
        for _ in range(size // 1_000_000):
            out.write(b"a" * 1_000_000)
    with pytest.raises(DataError, match="unpacks to more than 200 times its"):
        unpack(path, "all.tar.gz", tmp_path / "found")


def with_a_name_that_is_not_utf_8(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("\u00e4.txt", "x")
    path.write_bytes(path.read_bytes().replace("\u00e4".encode(), b"\xe4\xe4"))


def with_header(path: Path, key: str, value: str) -> None:
    """A tar whose one member has this entry in a header of its own."""
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
        info = tarfile.TarInfo("1.txt")
        info.pax_headers = {key: value}
        archive.addfile(info)


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("all.zip", with_a_name_that_is_not_utf_8),
        ("all.tar", lambda path: with_header(path, "path", "a\0b")),
        ("all.tar", lambda path: with_header(path, "GNU.sparse.map", "x,y")),
    ],
    ids=["not UTF-8", "null byte", "sparse"],
)
def test_damaged_headers(name: str, damage: Callable[[Path], None], tmp_path: Path) -> None:
    damage(tmp_path / name)
    text = refusal(tmp_path, path=name)
    assert text.startswith(f"{name}: cannot be unpacked (")
    assert "\n" not in text
    assert left(tmp_path) == []


def test_no_space_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packed(tmp_path / "all.zip", TEXTS)

    def full(*given: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(archives, "_check_size", full)
    with pytest.raises(OSError, match="No space left on device"):
        find_place("all.zip", tmp_path)
    assert left(tmp_path) == []


def test_a_name_that_is_too_long(tmp_path: Path) -> None:
    packed(tmp_path / "all.zip", {"x" * 300: "x"})
    assert refusal(tmp_path, path="all.zip") == "all.zip: cannot be unpacked (File name too long)."
