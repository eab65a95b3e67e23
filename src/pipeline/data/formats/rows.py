"""What a format gives: raw rows, some at a time, and what it must know to read them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
from numpy.typing import NDArray

from pipeline.config import TextConfig
from pipeline.data.types.type import SHOWN_CHARACTERS
from pipeline.errors import DataError, did_you_mean, not_readable

# What of a file is in memory at a time, where its format does not say how much.
MOST_ROWS, MOST_BYTES = 65_536, 2**26


@dataclass(frozen=True)
class TableFile:
    """`path` is where the file is, `name` what a message calls it, and `archive` what it was unpacked from, if it
    was."""

    path: Path
    name: str
    archive: Path | None = field(default=None, kw_only=True)

    @property
    def origin(self) -> Path:
        """The file that somebody has brought."""
        return self.archive or self.path

    def source(self) -> Any:
        """What Arrow opens: the path, or an open file. Raises DataError."""
        return str(self.path)

    def size(self) -> int:
        """In bytes. Raises DataError."""
        try:
            return self.path.stat().st_size
        except OSError as error:
            raise not_readable(self.name, error) from error


@dataclass(frozen=True)
class Layout:
    """How files of text are written, and which columns to read."""

    columns: tuple[str, ...]
    separator: str = ","
    header: bool = True
    encoding: str = "utf-8"
    quote: str = '"'
    newlines: bool = False


def layout_of(config: TextConfig, format: str, columns: list[str]) -> Layout:
    """How to read these columns of files in a format, which is a name in FORMATS."""
    separator = config.separator or ("\t" if format == "tsv" else ",")
    return Layout(tuple(columns), separator, config.header, config.encoding, config.quote, config.newlines)


@dataclass
class Rows:
    """`columns` (N,) are raw values by name. `numbers` (N,) are the rows' numbers: the rows of data in a file are
    counted from 1, and neither a header nor an empty line is one. Texts may tell more of the places. `unreadable` are
    other rows, of which the format could not tell the values: their numbers, and why."""

    columns: dict[str, pa.Array]
    numbers: NDArray[Any]
    unreadable: list[tuple[Any, str]] = field(default_factory=list)

    def parts(self, row_bytes: int) -> Iterator["Rows"]:
        """The same rows, as many at a time as may be in memory where each is to take so many bytes there: an image
        takes a hundred times as many as the file that it is in."""
        size = rows_at_once(row_bytes)
        for start in range(0, max(1, len(self.numbers)), size):
            columns = {name: values[start : start + size] for name, values in self.columns.items()}
            yield Rows(columns, self.numbers[start : start + size], [] if start else self.unreadable)


def rows_at_once(row_bytes: float) -> int:
    """How many rows of so many bytes each may be in memory."""
    return max(1, min(MOST_ROWS, int(MOST_BYTES / max(1.0, row_bytes))))


@dataclass(frozen=True)
class Format:
    """`names(file, layout)` are the names of all columns of a file, or None where rows need not have the same ones.
    `rows(file, layout)` gives the columns of the layout. Both raise DataError."""

    names: Callable[[TableFile, Layout], list[str] | None]
    rows: Callable[[TableFile, Layout], Iterator[Rows]]


def check_names(file: TableFile, layout: Layout, names: list[str], advice: str = "") -> None:
    """Raise DataError unless each column to read is there once."""
    short = [name if len(name) <= SHOWN_CHARACTERS else f"{name[:SHOWN_CHARACTERS]}..." for name in names]
    for name in layout.columns:
        if (found := names.count(name)) > 1:
            raise DataError(f"{file.name}: {found} columns are named '{name}', expected one. Rename the others.")
        if not found:
            raise DataError(f"{file.name}: there is no column '{name}' {did_you_mean(name, short)}{advice}")


def cannot_read(file: TableFile, what: str, error: Exception) -> DataError:
    """The error for a file that a library of Arrow does not read: cut off, damaged, or something else. What has the
    number of an error of the system says nothing of the file's content."""
    if isinstance(error, OSError) and error.errno:
        return not_readable(file.name, error)
    reason = str(error).strip().split("\n")[0].rstrip(".")
    return DataError(f"{file.name}: not a whole {what} ({reason}). It may be cut off or damaged; get it anew.")
