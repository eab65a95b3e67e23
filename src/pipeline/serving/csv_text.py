"""CSV text that is posted to a model, read as a CSV file is in training: each cell as the text that it is."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from pipeline.data.formats.bad_rows import about_unreadable
from pipeline.data.formats.csv import CSV
from pipeline.data.formats.rows import Layout, TableFile
from pipeline.errors import DataError

INPUT = "input"  # what a message calls it


@dataclass(frozen=True)
class PostedText(TableFile):
    """Text in UTF-8 that has come without a file."""

    content: bytes = field(kw_only=True)

    def source(self) -> pa.NativeFile:
        return pa.BufferReader(self.content)

    def size(self) -> int:
        return len(self.content)


def read_csv_text(text: str, columns: Sequence[str]) -> dict[str, list[str]]:
    """The cells (N,) of these columns, which the text has in any order and beside others. Commas stand between the
    cells, and a quoted one may hold line breaks.

    Raises DataError for text that is no such table; pandas would guess types, so that 007 becomes 7, and leave out
    what it takes for missing.
    """
    file = PostedText(Path(INPUT), INPUT, content=text.encode())
    found: dict[str, list[str]] = {name: [] for name in columns}
    unreadable: list[str] = []
    for rows in CSV.rows(file, Layout(tuple(columns), newlines=True)):
        unreadable += [f"row {number}: {why}" for number, why in rows.unreadable]
        for name, cells in rows.columns.items():
            found[name] += cells.to_pylist()
    if unreadable:
        raise DataError(f"{INPUT}: {about_unreadable(unreadable, len(unreadable))}")
    return found
