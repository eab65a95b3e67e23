"""Archives whose members are the files of a dataset. They are unpacked once, whole or not at all, into a folder that
their content names."""

import json
from dataclasses import dataclass
from pathlib import Path

from pipeline import locks
from pipeline.data.file_digests import digests_of
from pipeline.data.unpacking import unpack
from pipeline.files import remove_folder, replacing_folder, write_json
from pipeline.layout import Layout

ENDINGS = (".zip", ".tar", ".tar.gz", ".tgz")


@dataclass(frozen=True)
class Place:
    """Where a file or a folder of a dataset is; and the archive from which it was unpacked, if it was, and the folder
    that holds all of that."""

    path: Path
    archive: Path | None = None
    unpacked: Path | None = None


def find_place(path: str, root: Path) -> Place:
    """Where a path is, relative to `root`. It may be that of an archive, or go on in one: data/raw/all.zip/train is the
    folder `train` in that archive, which is unpacked if it was not before.

    Raises DataError for an archive that cannot be unpacked safely and whole.
    """
    whole = root / path
    if (archive := archive_in(whole)) is None:
        return Place(whole)
    shown = archive.relative_to(root) if archive.is_relative_to(root) else archive
    unpacked = _unpacked(archive, shown.as_posix(), root)
    return Place(unpacked / whole.relative_to(archive), archive, unpacked)


def archive_in(path: Path) -> Path | None:
    """The archive that a path names, or in which it goes on, if there is one."""
    return next((p for p in (path, *path.parents) if p.name.lower().endswith(ENDINGS) and p.is_file()), None)


def _unpacked(archive: Path, shown: str, root: Path) -> Path:
    """The folder with what is in the archive, by the sha256 of its content."""
    layout = Layout(root)
    digest = digests_of([archive], layout)[archive]
    folder = layout.unpacked(digest)
    if not folder.is_dir():
        with locks.hold(layout.lock(f"unpack-{digest}"), f"the unpacked {shown}"):
            if not folder.is_dir():
                with replacing_folder(folder, lasting=False) as fresh:
                    unpack(archive, shown, fresh)
                print(f"{shown}: unpacked")
    _remove_former(archive, digest, layout)
    return folder


def _remove_former(archive: Path, digest: str, layout: Layout) -> None:
    """Remove the folder with what was in an archive before its content changed, unless another archive has it."""
    place = str(archive.absolute())
    if _folders_of_archives(layout).get(place) == digest:
        return
    with locks.hold(layout.lock("unpacked"), "the list of unpacked archives"):
        # Those of archives that are gone, as in folders in which DVC runs experiments, need no folder any more.
        known = {at: of for at, of in _folders_of_archives(layout).items() if Path(at).is_file()}
        former = known.get(place, digest)
        known[place] = digest
        if former not in known.values() and (folder := layout.unpacked(former)).is_dir():
            remove_folder(folder)
        write_json(layout.unpacked_archives, known)


def _folders_of_archives(layout: Layout) -> dict[str, str]:
    """The sha256 of what was unpacked of each archive at last."""
    try:
        known: dict[str, str] = json.loads(layout.unpacked_archives.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}
