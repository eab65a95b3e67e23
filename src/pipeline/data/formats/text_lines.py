"""Lines of text, of which each is the one value of a row."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

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
                unreadable.append((number, found.reason))
            elif found:
                texts.append(found)
                numbers.append(number)
        yield Rows({layout.columns[0]: pa.array(texts, pa.string())}, np.array(numbers, np.int64), unreadable)


def names(file: TableFile, layout: Layout) -> None:
    """The one column has whatever name is asked for."""


LINES = Format(names, rows)
