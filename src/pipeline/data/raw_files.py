"""The files from which a dataset's rows come."""

import json
from pathlib import Path

from pipeline.config import DatasetConfig
from pipeline.data.sources import SOURCES
from pipeline.files import digest_file, write_json
from pipeline.layout import Layout


def digests_of_files(dataset: DatasetConfig, layout: Layout) -> dict[str, str]:
    """The sha256 of each file that a dataset's source reads, by its path, which is relative to the checkout where it
    can be; and the fingerprint of each file behind a URL. Raises DataError for a file that is not there."""
    source, root = SOURCES[dataset.source], layout.root
    found = {
        (file.relative_to(root) if file.is_relative_to(root) else file).as_posix(): digest
        for file, digest in digests_of(source.files(dataset, root), layout).items()
    }
    return found | source.remote(dataset, root)


def digests_of(files: list[Path], layout: Layout) -> dict[Path, str]:
    """The sha256 of each file. One is read only if it has changed since it was asked for the last time."""
    known = _known(layout.raw_digests) if files else {}
    states = {file: _state(file) for file in files}
    found = {file: known.get(states[file]) or digest_file(file) for file in files}
    # Of a file that was edited while it was read, nothing is kept.
    new = {states[file]: digest for file, digest in found.items() if _state(file) == states[file]}
    if not new.items() <= known.items():
        write_json(layout.raw_digests, known | new)
    return found


def _state(file: Path) -> str:
    """What changes when a file does. Each job of a sweep asks for its digest, and reading gigabytes takes a while."""
    state = file.stat()
    return f"{file}:{state.st_size}:{state.st_mtime_ns}:{state.st_ctime_ns}:{state.st_ino}"


def _known(path: Path) -> dict[str, str]:
    """The digests that were found before, by the state of the file."""
    try:
        known: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}
