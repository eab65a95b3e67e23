"""The content of files as a column, some files at a time."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from pipeline.data.reading import read_values
from pipeline.data.schema import Column
from pipeline.data.sources.files.bad_files import BadFiles

# What is in memory at a time: so many files, or fewer where they, or what becomes of them, take so many bytes.
MOST_FILES, MOST_BYTES = 1024, 2**24
LARGEST_FILE = 2**28


def with_ending(column: Column, names: Sequence[str], bad: BadFiles) -> list[str]:
    """The names that end as files of the column's type do; the others are bad ones."""
    assert column.type.files is not None
    endings, kept = column.type.files.endings, []
    for name in names:
        if name.lower().endswith(endings):
            kept.append(name)
        else:
            bad.note(name, f"expected a name that ends with {', '.join(endings)}")
    return kept


Part = tuple[list[int], pa.Array]


def read_contents(column: Column, folder: Path, names: Sequence[str], bad: BadFiles) -> Iterator[Part]:
    """The files of these names in a folder, some at a time: which of the names they are (n,), and their contents (n,)
    in the storage of the column's type. Bad files are left out."""
    places, contents, size = list[int](), list[bytes](), 0
    for place, name in enumerate(names):
        content = _read(folder / name)
        if isinstance(content, str):
            bad.note(name, content)
            continue
        places.append(place)
        contents.append(content)
        size += max(len(content), column.value_bytes)
        if len(places) >= MOST_FILES or size >= MOST_BYTES:
            yield _parsed(column, names, places, contents, bad)
            places, contents, size = [], [], 0
    if places:
        yield _parsed(column, names, places, contents, bad)


def _read(file: Path) -> bytes | str:
    """A file's bytes, or in words why there are none."""
    try:
        if (size := file.stat().st_size) > LARGEST_FILE:
            return f"{size:,} bytes, expected {LARGEST_FILE:,} at most"
        return file.read_bytes() or "empty"
    except OSError as error:
        return f"cannot be read ({error.strerror})"


def _parsed(column: Column, names: Sequence[str], places: list[int], contents: list[bytes], bad: BadFiles) -> Part:
    parsed = read_values(column, pa.array(contents, pa.binary()), column.config.missing or ())
    for i in np.flatnonzero(parsed.refused):
        bad.note(names[places[i]], parsed.reasons.get(int(i), f"not {column.type.expected}"))
    good = np.flatnonzero(~parsed.refused)
    return [places[i] for i in good], parsed.values.take(pa.array(good))
