"""Records of FASTA files as rows, each with its label and group."""

import re
from collections.abc import Callable, Iterator

import numpy as np
import pyarrow as pa

from pipeline.config.data import GROUP
from pipeline.data.formats.fasta import Record
from pipeline.data.formats.rows import Rows
from pipeline.data.sources.fasta_labels import Labels
from pipeline.data.sources.source import Columns
from pipeline.data.types.type import shown

RECORDS_AT_ONCE, LETTERS_AT_ONCE = 4096, 4 * 2**20  # in memory; a record may be longer by itself


def in_parts(numbered: Iterator[tuple[int, Record]]) -> Iterator[list[tuple[int, Record]]]:
    """The records some at a time: so many that they have LETTERS_AT_ONCE, or else RECORDS_AT_ONCE."""
    part, num_letters = list[tuple[int, Record]](), 0
    for number, record in numbered:
        part.append((number, record))
        num_letters += len(record.letters)
        if num_letters >= LETTERS_AT_ONCE or len(part) == RECORDS_AT_ONCE:
            yield part
            part, num_letters = [], 0
    if part:
        yield part


# It gives the label and the group of a record, or why it has none.
Reader = Callable[[Record], tuple[str, str | None] | str]


def reader_of(label: str, pattern: re.Pattern[str] | None, table: Labels | None) -> Reader:
    """The label comes from the table if there is one, or else from the header by the pattern, or else from the file,
    whose label this is."""
    if table is not None:
        return table.of
    if pattern is None:
        return lambda record: (label, None)

    def by_header(record: Record) -> tuple[str, str | None] | str:
        found = pattern.search(record.header)
        if not found or not found["label"]:
            return f"header {shown(record.header)} has no label by dataset.header"
        group = found[GROUP] if GROUP in pattern.groupindex else None
        if group is None and GROUP in pattern.groupindex:
            return f"header {shown(record.header)} has no group by dataset.header"
        return found["label"], group

    return by_header


def rows_of(some: list[tuple[int, Record]], read: Reader, found: Columns) -> Rows:
    """Records with their numbers as rows. A row's place is its number and its line."""
    values: dict[str, list[str | None]] = {column.name: [] for column in found.all}
    places, unreadable = [], []
    for number, record in some:
        place, answer = f"{number} (line {record.line})", read(record)
        if not record.letters:
            unreadable.append((place, f"header {shown(record.header)} without a sequence"))
        elif isinstance(answer, str):
            unreadable.append((place, answer))
        else:
            places.append(place)
            for name, value in zip(values, (record.letters, *answer), strict=False):
                values[name].append(value)
    arrays = {name: pa.array(column, pa.string()) for name, column in values.items()}
    return Rows(arrays, np.array(places, object), unreadable)
