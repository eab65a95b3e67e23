"""CSV, by whatever separator. pyarrow.csv splits the cells, which stay text here, and what it lets pass is refused: a
quote that is left open, a name that comes twice, a header among the rows."""

import csv
import io
import re
from collections.abc import Iterator
from functools import reduce
from itertools import chain, islice
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.data.formats.cells import rows_of_cells, rows_of_lines
from pipeline.data.formats.lines import line_blocks
from pipeline.data.formats.rows import Format, Layout, Rows, TableFile, check_names
from pipeline.data.types.type import shown
from pipeline.errors import DataError

SEPARATORS = (",", ";", "\t", "|")


def names(file: TableFile, layout: Layout) -> list[str]:
    """The names in the header; column_1, column_2 and so on where there is none."""
    return _names(file, layout, _first(line_blocks(file, layout.encoding, 2**16)))


def rows(file: TableFile, layout: Layout) -> Iterator[Rows]:
    """The rows of a file, some at a time, as text."""
    blocks = line_blocks(file, layout.encoding)
    start = _first(blocks)
    names = _names(file, layout, start)
    check_names(file, layout, names, _advice(layout, names))
    if layout.header:
        start = start[len(_first_row(start, layout)) :].removeprefix(b"\r").removeprefix(b"\n")
    parts = rows_of_cells if layout.newlines else rows_of_lines
    for part in parts(file, layout, names, chain([start], blocks)):
        yield _without_headers(layout, part) if layout.header else part


def _first(blocks: Iterator[bytes]) -> bytes:
    """The first block that is not empty, without the empty lines at its start."""
    return next((block for block in (block.lstrip(b"\r\n") for block in blocks) if block), b"\n")


def _first_row(block: bytes, layout: Layout) -> bytes:
    """The first row without its end, which may be a carriage return alone. Its cells may hold line breaks, if those of
    all rows may."""
    if not layout.newlines:
        return block[: block.index(b"\n")].split(b"\r", 1)[0]
    text = block.decode()
    read = _reader(text, layout.separator, layout.quote)
    next(read)
    end = sum(len(line) for line in islice(io.StringIO(text, newline=""), read.line_num))
    return text[:end].rstrip("\r\n").encode()


def cells_of(row: str, separator: str, quote: str) -> list[str]:
    """The cells of one row. Raises csv.Error where quotes are put wrong."""
    return next(_reader(row, separator, quote))


def _reader(text: str, separator: str, quote: str) -> Any:
    """The rows of a text, by Python's csv, which refuses cells of more than 128 KiB unless it is told otherwise."""
    csv.field_size_limit(max(csv.field_size_limit(), len(text) + 1))
    quotes: dict[str, Any] = {"quotechar": quote} if quote else {"quoting": csv.QUOTE_NONE}
    return csv.reader(io.StringIO(text, newline=""), delimiter=separator, **quotes)


def _names(file: TableFile, layout: Layout, block: bytes) -> list[str]:
    line = _first_row(block, layout).decode()
    if not line.strip():
        raise DataError(f"{file.name}: empty, expected rows.")
    if re.fullmatch("sep=.", line.strip()):
        raise DataError(f"{file.name}: the first line is {line.strip()!r}, which Excel alone reads. Remove it.")
    cells = cells_of(line, layout.separator, layout.quote)
    others = [sign for sign in SEPARATORS if sign != layout.separator and sign in line]
    if len(cells) == 1 and others:
        likely = max(others, key=line.count)
        raise DataError(
            f"{file.name}: found one column, {shown(line)}, expected several with {layout.separator!r} between them. "
            f"Set separator: {_yaml(likely)}."
        )
    return cells if layout.header else [f"column_{i + 1}" for i in range(len(cells))]


def _yaml(sign: str) -> str:
    return {"\t": '"\\t"', ",": '","', "|": '"|"'}.get(sign, f'"{sign}"')


def _advice(layout: Layout, names: list[str]) -> str:
    """What else may be wrong where a column is not there."""
    if len(names) == 1 and names[0].startswith("#"):
        return " The first line looks like a comment. Remove it."
    if not layout.header:
        return " Without a header, columns are named column_1, column_2 and so on."
    others = [sign for sign in SEPARATORS if sign != layout.separator and any(sign in name for name in names)]
    advice = f" If {others[0]!r} stands between the columns, set separator: {_yaml(others[0])}." if others else ""
    if not set(layout.columns) & set(names):
        advice += " If the first row is no header, set header: false and name the columns column_1, column_2 and so on."
    return advice


def _without_headers(layout: Layout, part: Rows) -> Rows:
    """A row that says what the header says is none: somebody has put two files together."""
    columns = list(part.columns.items())
    if not any(pc.any(pc.equal(cells, name)).as_py() for name, cells in columns[:1]):
        return part
    repeats = reduce(pc.and_, [pc.equal(cells, name) for name, cells in columns]).to_numpy(zero_copy_only=False)
    bad = [(int(number), "the header comes again") for number in part.numbers[repeats]]
    kept = {name: cells.filter(pa.array(~repeats)) for name, cells in columns}
    return Rows(kept, part.numbers[~repeats], sorted([*part.unreadable, *bad]))


CSV = Format(names, rows)
