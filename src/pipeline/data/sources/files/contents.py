"""The content of files, or their lines, as a column, some at a time."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from pipeline.data.formats import FORMATS
from pipeline.data.formats.rows import Layout, Rows, TableFile
from pipeline.data.reading import read_values
from pipeline.data.schema import Column
from pipeline.data.sources.files.bad_files import BadFiles
from pipeline.errors import DataError

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


def read_lines(column: Column, encoding: str, folder: Path, names: Sequence[str], bad: BadFiles) -> Iterator[Part]:
    """The lines of the files of these names in a folder, some at a time: of which of the names they are (n,), and their
    texts (n,) in the storage of the column's type. Bad lines and files are left out. Raises DataError for a file that
    cannot be read any more after some of its lines were given, so that no dataset has the half of one."""
    layout = Layout((column.name,), encoding=encoding)
    for place, name in enumerate(names):
        num_lines = 0
        try:
            for rows in FORMATS["lines"].rows(TableFile(folder / name, name), layout):
                values = _of_lines(column, name, rows, bad)
                num_lines += len(rows.numbers) + len(rows.unreadable)
                yield [place] * len(values), values
        except DataError as error:
            if num_lines:
                raise
            bad.note(name, str(error).removeprefix(f"{name}: ").rstrip("."))
        else:
            if not num_lines:
                bad.note(name, "all its lines are empty")


def _of_lines(column: Column, name: str, rows: Rows, bad: BadFiles) -> pa.Array:
    """The good lines among some of a file."""
    for number, why in rows.unreadable:
        bad.note(name, why, number)
    parsed = read_values(column, rows.columns[column.name], column.config.missing or ())
    for i in np.flatnonzero(parsed.refused):
        bad.note(name, parsed.reasons.get(int(i), f"not {column.type.expected}"), rows.numbers[i])
    return parsed.values.take(pa.array(np.flatnonzero(~parsed.refused)))


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
