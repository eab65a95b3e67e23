"""Which files a table is made of, in which format they are, and whether they belong together."""

import glob
import os
from collections.abc import Iterator
from pathlib import Path

from pipeline.data.archives import Place, find_place
from pipeline.data.formats import ENDINGS
from pipeline.data.formats.lines import COMPRESSIONS
from pipeline.data.formats.remote import find_remote, is_url
from pipeline.data.formats.rows import Format, Layout, TableFile
from pipeline.errors import DataError, not_readable

HIDDEN = (".", "_")  # what names of hidden files and folders begin with
AUTO = "auto"  # the format that the files' names end with


def find_files(paths: list[str], root: Path) -> list[TableFile]:
    """The files that URLs, files, globs and folders name, relative to `root`, or in an archive: in the order of
    `paths`, and sorted by name within each. Of folders and globs, hidden files (whose names begin with a point or _)
    and DVC's own are left out.

    Raises DataError as `find_place` does, where there are none, and for a file that is named twice.
    """
    found: list[TableFile] = []
    for path in paths:
        for file in find_remote(path) if is_url(path) else _of_path(path, root):
            if file in found:
                raise DataError(f"{file.name}: found in path twice, expected each file once.")
            found.append(file)
    return found


def _of_path(path: str, root: Path) -> list[TableFile]:
    place = find_place(path, root)
    return [_named(file, place, root) for file in _files_at(place.path, path)]


def _named(file: Path, place: Place, root: Path) -> TableFile:
    whole = file
    if place.archive is not None and place.unpacked is not None:
        whole = place.archive / file.relative_to(place.unpacked)
    shown = whole.relative_to(root) if whole.is_relative_to(root) else whole
    return TableFile(file, shown.as_posix(), archive=place.archive)


def find_split_files(paths: dict[str, list[str]], root: Path) -> dict[str, list[TableFile]]:
    """The files of several settings, by the settings' names. Raises DataError as `find_files` does, and for a file that
    two settings name."""
    found: dict[str, list[TableFile]] = {}
    for key, of_key in paths.items():
        files = find_files(of_key, root)
        for other, others in found.items():
            if twice := [file.name for file in files if file in others]:
                raise DataError(f"{twice[0]}: found in {other} and in {key}, expected each file once.")
        found[key] = files
    return found


def _files_at(there: Path, path: str) -> list[Path]:
    """The files that are there, by the path that names them."""
    try:
        return _found_at(there, path)
    except OSError as error:
        raise not_readable(error.filename or path, error) from error


def _found_at(there: Path, path: str) -> list[Path]:
    if there.is_file():
        return [there]
    if there.is_dir():
        files = [file for file in _sorted(_all_in(there)) if not _hidden(file.relative_to(there))]
        if not files:
            raise DataError(f"{path}: no files in this folder, expected one or more.")
        return files
    if not glob.has_magic(path):
        raise DataError(f"{path}: not found.")
    files = [
        file for file in _sorted(map(Path, glob.iglob(str(there), recursive=True))) if not _hidden(Path(file.name))
    ]
    if not files:
        raise DataError(f"{path}: no file is named like this, expected one or more.")
    return files


def _all_in(folder: Path) -> Iterator[Path]:
    """The files in a folder and below it, but not in hidden folders. Path.rglob would pass over folders in it that
    cannot be read."""

    def fail(error: OSError) -> None:
        raise error

    for inner, folders, names in os.walk(folder, onerror=fail):
        folders[:] = [name for name in folders if not name.startswith(HIDDEN)]
        yield from (Path(inner) / name for name in names)


def _sorted(files: Iterator[Path]) -> list[Path]:
    return sorted((file for file in files if file.is_file()), key=lambda file: file.as_posix())


def _hidden(path: Path) -> bool:
    return path.suffix == ".dvc" or any(part.startswith(HIDDEN) for part in path.parts)


def format_of(files: list[TableFile]) -> str:
    """The format that the files' names end with. Raises DataError for an unknown ending, and for several formats."""
    formats = dict[str, str]()
    for file in files:
        if (ending := by_ending(file)) is None:
            known = ", ".join(ENDINGS)
            raise DataError(f"{file.name}: no format is known by this ending, expected one of {known}. Set format.")
        formats[file.name] = ending
    first = next(iter(formats))
    for name, found in formats.items():
        if found != formats[first]:
            raise DataError(
                f"{name}: found {found}, and {first} is {formats[first]}; expected one. Name fewer files in path."
            )
    return formats[first]


def by_ending(file: TableFile) -> str | None:
    """The format that a file's name ends with, before what says how it is compressed; None for an unknown ending."""
    endings = [ending.lower() for ending in file.path.suffixes]
    if endings and endings[-1] in COMPRESSIONS:
        endings.pop()
    return ENDINGS.get(endings[-1]) if endings else None


def check_same_columns(files: list[TableFile], format: Format, layout: Layout) -> None:
    """Raise DataError unless all files have the same columns, in whatever order."""
    first, *others = ((file, format.names(file, layout)) for file in files)
    for file, names in others:
        expected = first[1]
        if names is None or expected is None or sorted(names) == sorted(expected):
            continue
        more = ", ".join(repr(name) for name in names if name not in expected)
        fewer = ", ".join(repr(name) for name in expected if name not in names)
        found = " and ".join([f"has {more}"] * bool(more) + [f"lacks {fewer}"] * bool(fewer)) or "repeats some"
        raise DataError(
            f"{file.name}: its columns are not those of {first[0].name}: it {found}. Expected the same columns in all "
            "files."
        )
