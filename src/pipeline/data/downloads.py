"""Files that a dataset's configuration asks for are fetched into data/raw/, if they are not there.

A file is what its sha256 says, wherever it comes from: a mirror (data/mirror.py), or the addresses that the
configuration names, in their order. What a broken download has brought so far is kept, and the next one goes on from
there. Of a folder of files, the next one fetches those that are not there yet.
"""

import os
import shutil
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote

from pipeline import locks
from pipeline.config import DatasetConfig, DownloadConfig
from pipeline.data.checksums import files_of_folder
from pipeline.data.file_digests import digests_of
from pipeline.data.mirror import MIRROR, copy_file, mirror_of
from pipeline.data.transfer import FILE, download
from pipeline.errors import DataError
from pipeline.files import PARTIAL, digest_file
from pipeline.layout import LOCAL, Layout

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
    for source, reason in _attempts(name, wanted, mirror_of(layout), work, quiet):
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
        f"{MIRROR}, or mirror in {LOCAL}, to a folder or an address that has {name}."
    )


def _attempts(
    name: str, wanted: DownloadConfig, mirror: str, work: Path, quiet: bool
) -> Iterator[tuple[str, str | None]]:
    """Each place from which the file can come, after it was copied from there to FILE in `work`, and what went wrong
    with that, if anything."""
    if mirror and "://" not in mirror:
        place = Path(mirror) / name
        yield str(place), copy_file(place, work / FILE)
    at_mirror = [(f"{mirror.rstrip('/')}/{quote(name)}", "")] if "://" in mirror else []
    for i, (url, member) in enumerate([*at_mirror, *((url, wanted.member) for url in wanted.urls)]):
        if not quiet:
            print(f"{name}: from {url}")
        yield url, download(url, member, work, work / f"part-{i}", quiet)
