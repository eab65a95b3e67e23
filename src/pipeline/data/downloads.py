"""Files that a dataset's configuration asks for are fetched into data/raw/, if they are not there.

A file is what its sha256 says, wherever it comes from: a mirror, which PIPELINE_DATA_MIRROR names as a folder or an
address, or the addresses that the configuration names, in their order. What a broken download has brought so far is
kept, and the next one goes on from there. Of a folder of files, the next one fetches those that are not there yet.
"""

import lzma
import os
import shutil
import sys
import zipfile
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

from pipeline import locks
from pipeline.config import DatasetConfig, DownloadConfig
from pipeline.data.checksums import files_of_folder
from pipeline.data.file_digests import digests_of
from pipeline.errors import DataError
from pipeline.files import PARTIAL, digest_file
from pipeline.layout import Layout

MIRROR = "PIPELINE_DATA_MIRROR"
RETRIES, TIMEOUT = 3, 30  # seconds without a byte
BLOCK = 2**14  # what is less than a block is lost when a download breaks off
LARGEST_RATIO = 1000  # of a file in an archive to the archive; no data compress as well
FILE, ARCHIVE = "file", "archive"
AT_ONCE = 8  # files of a folder, since most of the time of a small one is waiting


def fetch(dataset: DatasetConfig, layout: Layout) -> None:
    """Fetch the files of a dataset that are not there. Raises DataError for a file that cannot be fetched, for one that
    is not what the configuration says, and for one in a folder that the folder's `sums` do not name."""
    wanted_by = {
        name: files_of_folder(name, wanted, layout.root) if wanted.sums else {name: wanted}
        for name, wanted in dataset.downloads.items()
    }
    for name, files in wanted_by.items():
        if _missing(files, layout):
            lock = layout.lock(f"download-{name.replace('/', '.')}")
            with locks.hold(lock, _shown(layout.raw / name, layout)):
                _fetch_all(dataset, name, files, layout)
        found = digests_of([layout.raw / file for file in files], layout)
        for file, of_file in files.items():
            target = layout.raw / file
            if found[target] != of_file.sha256:
                raise DataError(f"{_shown(target, layout)}: {_not_it(dataset, file, found[target], of_file.sha256)}")
    known = {layout.raw / file for files in wanted_by.values() for file in files}
    for name, wanted in dataset.downloads.items():
        if wanted.sums and (others := sorted(set(_files_in(layout.raw / name)) - known)):
            raise DataError(
                f"{_shown(others[0], layout)}: {wanted.sums} does not name this file (of {len(others)} such files in "
                f"{name}). Remove them, or give them a folder of their own."
            )


def _not_it(dataset: DatasetConfig, file: str, found: str, wanted: str) -> str:
    """What is wrong with a file that is there."""
    if not wanted:
        return (
            f"found sha256 {found}, but downloads.{file} of dataset {dataset.name} has no sha256. If that is the right "
            "file, write this as its sha256."
        )
    return (
        f"found sha256 {found}, but dataset {dataset.name} expects {wanted}. Remove the file to have it fetched anew, "
        "or correct sha256."
    )


def _files_in(folder: Path) -> Iterator[Path]:
    """All files in a folder but hidden ones, such as those of a broken download."""
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (Path(place, name) for name in names if not name.startswith("."))


def _shown(path: Path, layout: Layout) -> str:
    return path.relative_to(layout.root).as_posix()


def _missing(files: dict[str, DownloadConfig], layout: Layout) -> list[str]:
    return [name for name in files if not (layout.raw / name).is_file()]


def _fetch_all(dataset: DatasetConfig, name: str, files: dict[str, DownloadConfig], layout: Layout) -> None:
    """Fetch what is not there of the files of a download: the one file, or, some at a time, those of a folder."""
    from tqdm import tqdm

    missing, in_folder = _missing(files, layout), name not in files
    if in_folder:
        print(f"{name}: {len(missing)} of {len(files)} files")
    pool = ThreadPoolExecutor(AT_ONCE)
    try:
        done = pool.map(lambda file: _fetch(dataset, file, files[file], layout, quiet=in_folder), missing)
        hidden = not in_folder or not sys.stderr.isatty()
        for _ in tqdm(done, total=len(missing), unit="file", disable=hidden):
            pass
    finally:
        pool.shutdown(cancel_futures=True)


def _fetch(dataset: DatasetConfig, name: str, wanted: DownloadConfig, layout: Layout, quiet: bool) -> None:
    """Put the file at its place, whole and right, or not at all. Until then it is in a hidden folder, which DVC does
    not look at, and of which a broken download stays. If `quiet`, nothing tells of the file."""
    target = layout.raw / name
    work = target.with_name(f".{target.name}{PARTIAL}")
    work.mkdir(parents=True, exist_ok=True)
    failures = []
    for source, reason in _attempts(name, wanted, work, quiet):
        if reason is None and not wanted.sha256:
            raise DataError(
                f"dataset {dataset.name}: downloads.{name} has no sha256. The file at {source} has "
                f"{digest_file(work / FILE)}: if that is the right file, write this as its sha256."
            )
        if reason is None and (found := digest_file(work / FILE)) != wanted.sha256:
            reason = f"found sha256 {found}, expected {wanted.sha256}"
        if reason is None:
            (work / FILE).replace(target)
            shutil.rmtree(work)
            return
        failures.append(f"{source}: {reason}")
    raise DataError(
        f"{_shown(target, layout)}: not there, and it cannot be fetched ({'; '.join(failures)}). Put it there, or set "
        f"{MIRROR} to a folder or an address that has {name}."
    )


def _attempts(name: str, wanted: DownloadConfig, work: Path, quiet: bool) -> Iterator[tuple[str, str | None]]:
    """Each place from which the file can come, after it was copied from there to FILE in `work`, and what went wrong
    with that, if anything."""
    mirror = os.environ.get(MIRROR, "")
    if mirror and "://" not in mirror:
        place = Path(mirror) / name
        yield str(place), _copy_file(place, work / FILE)
    at_mirror = [(f"{mirror.rstrip('/')}/{quote(name)}", "")] if "://" in mirror else []
    for i, (url, member) in enumerate([*at_mirror, *((url, wanted.member) for url in wanted.urls)]):
        if not quiet:
            print(f"{name}: from {url}")
        yield url, _download(url, member, work, work / f"part-{i}", quiet)


def _copy_file(place: Path, target: Path) -> str | None:
    """Copy a file of a mirror. Returns None, or what went wrong."""
    try:
        stream = place.open("rb")
    except OSError as error:
        return error.strerror or str(error)
    with stream, target.open("wb") as out:
        shutil.copyfileobj(stream, out)
    return None


def _download(url: str, member: str, work: Path, kept: Path, quiet: bool) -> str | None:
    """Download a file, or a member of the zip archive there. Returns None, or what went wrong."""
    import pooch
    import requests

    name = ARCHIVE if member else FILE
    for left in work.iterdir():  # of a process that was killed, and of another address
        if not left.name.startswith("part-"):
            left.unlink()
    store = pooch.create(work, "", registry={name: None}, urls={name: url}, retry_if_failed=RETRIES)
    pooch.get_logger().setLevel("WARNING")  # it names files of ours that nobody knows
    try:
        store.fetch(name, downloader=_Resuming(kept, quiet))
    except (requests.RequestException, ValueError) as error:
        return _reason(error)
    return _unpack(work / ARCHIVE, member, work / FILE) if member else None


def _unpack(archive: Path, member: str, target: Path) -> str | None:
    """Take one member out of a zip archive. Returns None, or what went wrong."""
    try:
        with zipfile.ZipFile(archive) as opened, opened.open(member) as stream:
            _copy(stream, target, LARGEST_RATIO * archive.stat().st_size)
    except (KeyError, EOFError, ValueError, RuntimeError, zipfile.BadZipFile, zlib.error, lzma.LZMAError) as error:
        return f"no zip archive with {member} ({error})"
    return None


class _Resuming:
    """Downloads a file into `kept`, from where an earlier download has stopped, and shows the progress to a person,
    unless it is `quiet`."""

    def __init__(self, kept: Path, quiet: bool) -> None:
        self._kept, self._quiet = kept, quiet

    def __call__(self, url: str, output_file: str, pooch: Any) -> None:
        import requests
        from tqdm import tqdm

        done = self._kept.stat().st_size if self._kept.is_file() else 0
        # A server that compresses counts other bytes than those that are kept here.
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={done}-"} if done else {})
        with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT) as response:
            # 416: there is nothing behind what we have
            if response.status_code != 416:
                response.raise_for_status()
                goes_on = response.status_code == 206
                total = int(response.headers.get("Content-Length", 0)) + done * goes_on
                hidden = self._quiet or not sys.stderr.isatty()
                bar = tqdm(total=total or None, initial=done * goes_on, unit="B", unit_scale=True, disable=hidden)
                with self._kept.open("ab" if goes_on else "wb") as stream, bar:
                    for block in response.iter_content(BLOCK):
                        stream.write(block)
                        bar.update(len(block))
        self._kept.replace(output_file)


def _copy(stream: IO[bytes], target: Path, most: int) -> None:
    """Write a member of an archive to a file. Raises BadZipFile where it is longer than any data would be."""
    written = 0
    with target.open("wb") as out:
        while block := stream.read(2**20):
            written += len(block)
            if written > most:
                raise zipfile.BadZipFile(f"it unpacks to more than {most} bytes")
            out.write(block)


def _reason(error: Exception) -> str:
    """An error of requests in a few words; it often holds another, which says the reason."""
    reason = getattr(error.args[0], "reason", error) if error.args else error
    return " ".join(str(reason).split())[:200] or type(error).__name__
