"""Files that a dataset's configuration asks for are fetched into data/raw/, if they are not there.

A file is what its sha256 says, wherever it comes from: a mirror, which PIPELINE_DATA_MIRROR names as a folder or an
address, or the addresses that the configuration names, in their order. What a broken download has brought so far is
kept, and the next one goes on from there.
"""

import errno
import os
import shutil
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from pipeline import locks
from pipeline.config import DatasetConfig, DownloadConfig
from pipeline.data.raw_files import digest_of
from pipeline.errors import DataError
from pipeline.files import PARTIAL, digest_file
from pipeline.layout import Layout

MIRROR = "PIPELINE_DATA_MIRROR"
RETRIES, TIMEOUT = 3, 30  # seconds without a byte
BLOCK = 2**14  # what is less than a block is lost when a download breaks off
LARGEST_RATIO = 1000  # of a file in an archive to the archive; no data compress as well


def fetch(dataset: DatasetConfig, layout: Layout) -> None:
    """Fetch the files of a dataset that are not there. Raises DataError for a file that cannot be fetched, and for one
    that is not what the configuration says."""
    for name, wanted in dataset.downloads.items():
        target = layout.raw / name
        shown = target.relative_to(layout.root).as_posix()
        if not target.is_file():
            with locks.hold(layout.lock(f"download-{name.replace('/', '.')}"), shown):
                if not target.is_file():
                    with _named(shown):
                        _fetch(dataset, name, wanted, target, shown)
        if (found := digest_of(target, layout)) != wanted.sha256:
            raise DataError(
                f"{shown}: found sha256 {found}, but dataset {dataset.name} expects {wanted.sha256}. Remove the file "
                "to have it fetched anew, or correct sha256."
            )


def _fetch(dataset: DatasetConfig, name: str, wanted: DownloadConfig, target: Path, shown: str) -> None:
    """Put the file at `target`, whole and right, or not at all."""
    partial = target.with_name(f".{target.name}{PARTIAL}")
    target.parent.mkdir(parents=True, exist_ok=True)
    mirror = os.environ.get(MIRROR, "")
    failures = []
    if mirror and "://" not in mirror:
        place = Path(mirror) / name
        if place.is_file():
            shutil.copyfile(place, partial)
            return _accept(dataset, name, wanted, partial, target, str(place))
        failures.append(f"{place} is not there")
    at_mirror = [(f"{mirror.rstrip('/')}/{name}", "")] if "://" in mirror else []
    for url, member in [*at_mirror, *((url, wanted.member) for url in wanted.urls)]:
        print(f"{shown}: from {url}")
        if (reason := _download(url, member, partial)) is None:
            return _accept(dataset, name, wanted, partial, target, url)
        failures.append(f"{url}: {reason}")
    raise DataError(
        f"{shown}: not there, and it cannot be fetched ({'; '.join(failures)}). Put it there, or set {MIRROR} to a "
        f"folder or an address that has {name}."
    )


def _accept(
    dataset: DatasetConfig, name: str, wanted: DownloadConfig, partial: Path, target: Path, source: str
) -> None:
    found = digest_file(partial)
    if found == wanted.sha256:
        partial.replace(target)
        return
    partial.unlink()
    if not wanted.sha256:
        raise DataError(
            f"dataset {dataset.name}: downloads.{name} has no sha256. The file at {source} has {found}: if that is the "
            f"right file, add sha256: {found}"
        )
    raise DataError(f"{source}: found sha256 {found}, but dataset {dataset.name} expects {wanted.sha256} of {name}.")


def _download(url: str, member: str, partial: Path) -> str | None:
    """Download a file, or a member of the zip archive there. Returns None, or what went wrong."""
    import pooch
    import requests

    archive = partial.with_name(f".{partial.stem}.zip{PARTIAL}") if member else partial
    kept = archive.with_name(f".{archive.stem}.part{PARTIAL}")
    name = archive.name
    store = pooch.create(archive.parent, "", registry={name: None}, urls={name: url}, retry_if_failed=RETRIES)
    archive.unlink(missing_ok=True)  # of a process that was killed
    pooch.get_logger().setLevel("WARNING")  # it names files of ours that nobody knows
    try:
        store.fetch(name, downloader=_Resuming(kept))
    except (requests.RequestException, ValueError) as error:
        return _reason(error)
    if not member:
        return None
    try:
        with zipfile.ZipFile(archive) as opened, opened.open(member) as stream:
            _copy(stream, partial, LARGEST_RATIO * archive.stat().st_size)
    except (KeyError, zipfile.BadZipFile, RuntimeError) as error:
        return f"no zip archive with {member} ({error})"
    finally:
        archive.unlink()
    return None


class _Resuming:
    """Downloads a file into `kept`, from where an earlier download has stopped, and shows the progress to a person."""

    def __init__(self, kept: Path) -> None:
        self._kept = kept

    def __call__(self, url: str, output_file: str, pooch: Any) -> None:
        import requests
        from tqdm import tqdm

        done = self._kept.stat().st_size if self._kept.is_file() else 0
        headers = {"Range": f"bytes={done}-"} if done else {}
        with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT) as response:
            # 416: there is nothing behind what we have
            if response.status_code != 416:
                response.raise_for_status()
                goes_on = response.status_code == 206
                total = int(response.headers.get("Content-Length", 0)) + done * goes_on
                hidden = not sys.stderr.isatty()
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


@contextmanager
def _named(shown: str) -> Iterator[None]:
    """Turn a full disk into one line that names the file."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EACCES, errno.EROFS, errno.EDQUOT):
            raise
        raise DataError(f"{shown}: cannot be written ({error.strerror}).") from error
