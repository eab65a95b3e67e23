"""An archive is unpacked into a folder.

It may come from anywhere. Nothing is written outside of the folder, links and devices are refused, and so is what takes
much more space than the archive.
"""

import errno
import gzip
import lzma
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO

from pipeline.errors import DataError

MOST_MEMBERS, MOST_BYTES = 1_000_000, 2**37
LARGEST_RATIO = 200  # of what an archive unpacks to, to the archive; of photographs it is 1, and of texts 10 at most
FOLDER, FILE, LINK, SPECIAL = "folder", "file", "link", "special"
SLACK = 2**20  # bytes of headers and padding, which count for nothing in a small archive
BY_HAND = "If that is right, unpack it by hand, and name the folder in path."
# Of these, every command says what to do (cli.py).
OF_THE_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES)
DAMAGED = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    RuntimeError,
    ValueError,
    OSError,
)


@dataclass(frozen=True)
class Member:
    """A file, a folder or something else in an archive, and how its content is read."""

    name: str
    kind: str
    open: Callable[[], IO[bytes] | None]


def unpack(archive: Path, shown: str, folder: Path) -> None:
    """Write the members of an archive into an empty folder. Raises DataError, which begins with `shown`."""
    size = archive.stat().st_size
    total, written = 0, set[Path]()
    members = _zip_members if archive.name.lower().endswith(".zip") else _tar_members
    try:
        for number, member in enumerate(members(archive, folder, shown), 1):
            target = folder / _safe_name(member, shown)
            if number > MOST_MEMBERS:
                raise DataError(f"{shown}: found more than {MOST_MEMBERS:,} members, expected fewer. {BY_HAND}")
            if member.kind == FOLDER:
                target.mkdir(parents=True, exist_ok=True)
                continue
            if target in written:
                raise DataError(f"{shown}: holds {member.name!r} twice, expected each file once. Pack it anew.")
            written.add(target)
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("wb") as out:
                for block in _blocks(member):
                    total += len(block)
                    _check_size(shown, total, size)
                    out.write(block)
    except DAMAGED as error:
        code = getattr(error, "errno", None)
        if code in OF_THE_DISK:
            raise
        reason = getattr(error, "strerror", None) or " ".join(str(error).split()) or type(error).__name__
        advice = "" if code == errno.ENAMETOOLONG else " If it is cut off or damaged, get it anew."
        raise DataError(f"{shown}: cannot be unpacked ({reason}).{advice}") from error


def _check_size(shown: str, total: int, size: int) -> None:
    if total > MOST_BYTES:
        raise DataError(f"{shown}: unpacks to more than {MOST_BYTES:,} bytes, expected fewer. {BY_HAND}")
    if total > LARGEST_RATIO * size:
        raise DataError(
            f"{shown}: unpacks to more than {LARGEST_RATIO} times its {size:,} bytes, as no dataset does. {BY_HAND}"
        )


def _safe_name(member: Member, shown: str) -> PurePosixPath:
    """The path of a member in the folder. Raises DataError for one outside of it, and for what is no file or folder."""
    path, windows = PurePosixPath(member.name), PureWindowsPath(member.name)
    if path.is_absolute() or windows.drive or windows.root or ".." in (*path.parts, *windows.parts):
        raise DataError(
            f"{shown}: {member.name!r} would be unpacked outside of its folder. Do not trust whoever has packed this."
        )
    if "\\" in member.name:
        raise DataError(
            f"{shown}: {member.name!r} has a backslash in its name, expected / between folders. Pack it anew."
        )
    if member.kind in (LINK, SPECIAL):
        what = "a link" if member.kind == LINK else "neither a file nor a folder"
        raise DataError(f"{shown}: {member.name!r} is {what}, expected files and folders alone. Pack it without.")
    return path


def _blocks(member: Member) -> Iterator[bytes]:
    """The content of a file, some at a time."""
    stream = member.open()
    if stream is None:
        raise tarfile.ReadError(f"{member.name} has no content")
    with stream:
        while block := stream.read(2**20):
            yield block


def _zip_members(path: Path, folder: Path, shown: str) -> Iterator[Member]:
    kinds = {0: FILE, stat.S_IFREG: FILE, stat.S_IFDIR: FOLDER, stat.S_IFLNK: LINK}
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            # the upper half has the mode of a file where Unix has packed it
            kind = FOLDER if info.is_dir() else kinds.get(stat.S_IFMT(info.external_attr >> 16), SPECIAL)
            yield Member(info.filename, kind, partial(archive.open, info))


def _kind(info: tarfile.TarInfo) -> str:
    if info.islnk() or info.issym():
        return LINK
    return FOLDER if info.isdir() else FILE if info.isreg() else SPECIAL


class _Bounded(gzip.GzipFile):
    """Decompresses no more at a time than an honest archive holds in all: Python reads the header of a member whole,
    and it may say that a name is a gigabyte long."""

    def __init__(self, path: Path, shown: str) -> None:
        super().__init__(path)
        self._shown, self._packed = shown, path.stat().st_size

    def read(self, size: int | None = -1) -> bytes:
        _check_size(self._shown, self.tell() + max(0, size or 0) - SLACK, self._packed)
        return super().read(size)


def _tar_members(path: Path, folder: Path, shown: str) -> Iterator[Member]:
    packed = path.name.lower().endswith((".gz", ".tgz"))
    opened = _Bounded(path, shown) if packed else path.open("rb")
    with opened, tarfile.open(fileobj=opened, mode="r:") as archive:
        for info in archive:

            def content(info: tarfile.TarInfo = info) -> IO[bytes] | None:
                # Python's own look at a member comes after ours.
                return archive.extractfile(tarfile.data_filter(info, str(folder)))

            yield Member(info.name, _kind(info), content)
        # Python takes a file that ends between two members for a whole one.
        assert archive.fileobj is not None
        archive.fileobj.seek(archive.offset)
        if len(archive.fileobj.read(tarfile.BLOCKSIZE)) < tarfile.BLOCKSIZE:
            raise tarfile.ReadError("unexpected end of data")
