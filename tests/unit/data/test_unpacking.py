"""Whatever is not safe to unpack is refused, and leaves nothing behind."""

import errno
import gzip
import stat
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.data import unpacking
from pipeline.data.archives import find_place
from pipeline.data.unpacking import unpack
from pipeline.errors import DataError
from tests.unit.data.test_archives import NAMES, TEXTS, left, packed
from tests.unit.data.test_files_source import refusal


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
    monkeypatch.setattr(unpacking, "MOST_MEMBERS", 4)
    monkeypatch.setattr(unpacking, "MOST_BYTES", 100)
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

    monkeypatch.setattr(unpacking, "_check_size", full)
    with pytest.raises(OSError, match="No space left on device"):
        find_place("all.zip", tmp_path)
    assert left(tmp_path) == []


def test_a_name_that_is_too_long(tmp_path: Path) -> None:
    packed(tmp_path / "all.zip", {"x" * 300: "x"})
    assert refusal(tmp_path, path="all.zip") == "all.zip: cannot be unpacked (File name too long)."
