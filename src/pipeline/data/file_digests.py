"""Digests of files, which are kept, since each command asks for them and files may have gigabytes."""

import json
from pathlib import Path

from pipeline.errors import not_readable
from pipeline.files import digest_file, write_json
from pipeline.layout import Layout


def digests_of(files: list[Path], layout: Layout) -> dict[Path, str]:
    """The sha256 of each file. One is read only if it has changed since it was asked for the last time. Raises
    DataError for one that cannot be read."""
    known = _known(layout.raw_digests) if files else {}
    found, new = {}, {}
    for file in files:
        try:
            state = _state(file)
            found[file] = known.get(state) or digest_file(file)
            # Of a file that was edited while it was read, nothing is kept.
            if state not in known and _state(file) == state:
                new[state] = found[file]
        except OSError as error:
            name = file.relative_to(layout.root) if file.is_relative_to(layout.root) else file
            raise not_readable(name, error) from error
    if new:
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
