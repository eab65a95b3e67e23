"""Which files a folder holds."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline.data.archives import find_place
from pipeline.data.origins import printable
from pipeline.errors import DataError, not_readable

# What systems leave in folders of their own accord. Other hidden files begin with a point.
LEFT_BEHIND = ("thumbs.db", "desktop.ini", "__macosx")
DVC = ".dvc"  # the ending of DVC's own files, which stand beside what they are about


@dataclass(frozen=True)
class Found:
    """`path` is the folder, and `shown` what a message calls it. `names` are the paths of its files in it, sorted, and
    `folders` the names of the folders that stand in it directly. `archive` is what it was unpacked from, if it was."""

    path: Path
    shown: str
    names: list[str]
    folders: list[str]
    archive: Path | None = None


def find(path: str, root: Path) -> Found:
    """The files of a folder, or of one in an archive, and all folders in it. Hidden ones are left out.

    Raises DataError as `find_place` does, where there are none or the folder cannot be read, and for what might be read
    twice or is not in the folder: a link that leaves it, or that leads to a folder.
    """
    place = find_place(path, root)
    try:
        names, folders = _names_in(place.path, path)
    except OSError as error:
        raise not_readable(error.filename or path, error) from error
    if not names:
        raise DataError(f"{path}: no files in this folder, expected one or more.")
    return Found(place.path, path, sorted(names), sorted(folders), place.archive)


def _names_in(folder: Path, shown: str) -> tuple[list[str], list[str]]:
    """The paths of the files in a folder, and the names of the folders that stand in it directly."""
    if not folder.is_dir():
        raise DataError(f"{shown}: {'a file' if folder.exists() else 'not found'}, expected a folder.")
    names, folders = [], []
    for entry, name in _entries(folder, "", folder.resolve(), shown):
        if not entry.is_dir(follow_symlinks=False):
            names.append(name)
        elif "/" not in name:
            folders.append(name)
    return names, folders


def _entries(folder: Path, inside: str, top: Path, shown: str) -> Iterator[tuple["os.DirEntry[str]", str]]:
    """What is in a folder and below it, each with its path in the top folder; `inside` is that of the folder itself."""
    with os.scandir(folder) as entries:
        for entry in entries:
            name = f"{inside}{entry.name}"
            if is_hidden(entry.name):
                continue
            _check(entry, f"{shown}/{name}", top)
            yield entry, name
            if entry.is_dir(follow_symlinks=False):
                yield from _entries(Path(entry.path), f"{name}/", top, shown)


def is_hidden(name: str) -> bool:
    return name.startswith(".") or name.lower() in LEFT_BEHIND or name.endswith(DVC)


def _check(entry: "os.DirEntry[str]", shown: str, top: Path) -> None:
    """Raise DataError for what is neither a folder nor a file of the folder `top`."""
    if not entry.name.isascii() and any("\ud800" <= sign <= "\udfff" for sign in entry.name):
        raise DataError(f"{shown!r}: the name is not UTF-8. Rename the file.")
    name = printable(shown)
    if entry.is_symlink():
        target = Path(entry.path).resolve()
        if not target.is_relative_to(top):
            raise DataError(f"{name}: a link that leaves the folder. Copy the file into it.")
        if target.is_dir():
            raise DataError(f"{name}: a link to a folder, whose files would be read twice. Remove the link.")
    if not entry.is_dir() and not entry.is_file():
        raise DataError(
            f"{name}: no file that can be read ({'a link to nothing' if entry.is_symlink() else 'special'})."
        )
