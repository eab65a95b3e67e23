"""The files of a folder that is downloaded, with the sha256 of each, as the program sha256sum writes them."""

import re
from pathlib import Path, PurePosixPath
from urllib.parse import quote

from pipeline.config import DownloadConfig
from pipeline.errors import DataError

LINE = re.compile(r"([0-9a-f]{64}) [ *](.+)")


def files_of_folder(name: str, folder: DownloadConfig, root: Path) -> dict[str, DownloadConfig]:
    """Each file of a folder as a download of its own, by its path in data/raw/. `root` is the checkout. Raises
    DataError for a file of sums that is none."""
    found = {}
    for file, sha256 in _read(folder.sums, root).items():
        urls = [f"{url.rstrip('/')}/{quote(file)}" for url in folder.urls]
        found[f"{name}/{file}"] = DownloadConfig(urls, sha256)
    return found


def _read(sums: str, root: Path) -> dict[str, str]:
    """The sha256 of each file by its name."""
    try:
        lines = (root / sums).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeError) as error:
        raise DataError(
            f"{sums}: cannot be read ({error}), expected a line with sha256 and name for each file."
        ) from error
    found: dict[str, str] = {}
    folders = {"."}
    for number, line in enumerate(lines, 1):
        match = LINE.fullmatch(line)
        path = PurePosixPath(match[2]) if match else PurePosixPath("..")
        around = {parent.as_posix() for parent in path.parents}
        known = path.as_posix() in folders or path.as_posix() in found or not around.isdisjoint(found)
        if match is None or path.is_absolute() or ".." in path.parts or known:
            raise DataError(
                f"{sums}, line {number}: found {line[:80]!r}, expected a sha256, two blanks and a new name."
            )
        found[path.as_posix()] = match[1]
        folders |= around
    if not found:
        raise DataError(f"{sums}: found 0 lines, expected a sha256 and a name for each file.")
    return found
