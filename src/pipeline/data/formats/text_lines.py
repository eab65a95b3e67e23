"""Lines of text, of which each is the one value of a row."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from pipeline.data.formats.encodings import is_utf_8, wrong_byte
from pipeline.data.formats.lines import line_blocks
from pipeline.data.formats.rows import Format, Layout, Rows, TableFile
from pipeline.data.types.text import NoText, text_of
from pipeline.errors import DataError


def rows(file: TableFile, layout: Layout) -> Iterator[Rows]:
    """The lines of a file without their ends, some at a time. A row's number is that of its line, and an empty line is
    no row. Raises DataError for more columns than the one that lines have."""
    if len(layout.columns) != 1:
        raise DataError(
            f"{file.name}: lines have one column, expected {len(layout.columns)} ({', '.join(layout.columns)}). "
            "Set another format."
        )
    number = 0
    for block in line_blocks(file, layout.encoding, checked=False):
        texts, numbers, unreadable = list[str](), list[int](), list[tuple[int, str]]()
        # Of bytes, this splits at line breaks alone, and not at U+2028 or a form feed.
        for line in block.splitlines():
            number += 1
            found = text_of(line)
            if isinstance(found, NoText):
                unreadable.append((number, _reason(line, found, layout.encoding)))
            elif found:
                texts.append(found)
                numbers.append(number)
        yield Rows({layout.columns[0]: pa.array(texts, pa.string())}, np.array(numbers, np.int64), unreadable)


def _reason(line: bytes, found: NoText, encoding: str) -> str:
    """Why a line is no text, by the bytes that stand in the file."""
    byte = None if is_utf_8(encoding) else wrong_byte(line)
    return found.reason if byte is None else f"not {encoding}, found the byte 0x{byte:02x}"


def names(file: TableFile, layout: Layout) -> None:
    """The one column has whatever name is asked for."""


LINES = Format(names, rows)
