"""How a file of text is written: its encoding, the separator of its cells, and its quotes."""

import codecs
import csv
import re
from collections import Counter
from collections.abc import Iterable

from pipeline.data.formats.csv import SEPARATORS, cells_of
from pipeline.data.formats.lines import chunks, line_blocks, wide_encoding
from pipeline.data.formats.rows import TableFile
from pipeline.errors import DataError

UTF_8 = "utf-8"
MOST_BYTES = 2**28  # of a file whose encoding is looked for
MOST_TEXT = 2**23  # bytes in which quotes are looked for
MOST_LINES = 200  # in which the separator is looked for
CONTROLS = bytes(range(0x80, 0xA0))  # which latin-1 leaves to control characters, and cp1252 fills with signs
LINE_BREAK = re.compile("\r\n|\n|\r")  # a lone carriage return ends a line, too
NO_CP1252 = frozenset(b"\x81\x8d\x8f\x90\x9d")


def encoding_of(files: list[TableFile]) -> str:
    """The one encoding of all files. Raises DataError where they have several."""
    found = {file.name: encoding for file in files if (encoding := _encoding(file)) is not None}
    if len(set(found.values())) > 1:
        (first, one), (second, other) = list({encoding: name for name, encoding in found.items()}.items())[:2]
        raise DataError(f"{other}: found {second}, and {one} is {first}; expected one encoding in all files.")
    return next(iter(found.values()), UTF_8)


def _encoding(file: TableFile) -> str | None:
    """None for a file of ASCII alone, which is the same in every encoding but UTF-16."""
    decoder, is_utf_8, high, controls, seen = codecs.getincrementaldecoder(UTF_8)(), True, False, set[int](), 0
    for chunk in chunks(file, 2**22):
        if not seen and (wide := wide_encoding(chunk)):
            return wide
        seen += len(chunk)
        if not chunk.isascii():
            high = True
            controls |= set(chunk.translate(None, delete=bytes(set(range(256)) - set(CONTROLS))))
        if is_utf_8:
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError:
                is_utf_8 = False
        if seen > MOST_BYTES:
            break
    if is_utf_8:
        return UTF_8 if high else None
    return "cp1252" if controls and not controls & NO_CP1252 else "latin-1"


def has_mark(file: TableFile) -> bool:
    """Whether a file begins with the byte order mark of UTF-8."""
    return next(chunks(file, 2**22)).startswith(codecs.BOM_UTF8)


def first_lines(file: TableFile, encoding: str) -> list[str]:
    """The lines of the first megabytes of a file, without empty ones."""
    lines: list[str] = []
    size = 0
    for block in line_blocks(file, encoding, 2**20):
        lines += [line for line in LINE_BREAK.split(block.decode()) if line]
        size += len(block)
        if size >= MOST_TEXT:
            break
    return lines


def separator_of(lines: list[str]) -> str:
    """The sign that splits most lines into the same number of cells. A comma is the last to be taken, because it is in
    numbers and texts, too; and it is taken where no sign splits them."""
    best, shares = ",", 0.0
    for sign in (*(sign for sign in SEPARATORS if sign != ","), ","):
        counts = Counter(len(cells(line, sign)) for line in lines[:MOST_LINES])
        width, number = counts.most_common(1)[0]
        if width > 1 and number / sum(counts.values()) > shares:
            best, shares = sign, number / sum(counts.values())
    return best


def cells(line: str, separator: str, quote: str = '"') -> list[str]:
    """The cells of a line; quotes are part of the text where they are put wrong."""
    try:
        return cells_of(line, separator, quote)
    except csv.Error:
        return line.split(separator)


def quotes_of(lines: list[str], separator: str) -> tuple[str, bool]:
    """The sign for quotes, and whether quoted cells hold line breaks. There is no sign for quotes if more lines are
    rows without it."""
    if not any('"' in line for line in lines):
        return '"', False
    width = Counter(len(cells(line, separator)) for line in lines).most_common(1)[0][0]
    each = sum(_wrong([line], separator, width) for line in lines)
    if not each:
        return '"', False
    if not _wrong((line + "\n" for line in lines), separator, width):
        return '"', True
    plain = Counter(line.count(separator) for line in lines)
    without = len(lines) - plain.most_common(1)[0][1]
    return ("", False) if without < each else ('"', False)


def _wrong(lines: Iterable[str], separator: str, width: int) -> int:
    """How many rows have another number of cells; 1 if quotes are put wrong."""
    try:
        rows = csv.reader(lines, delimiter=separator, quotechar='"', strict=True)
        return sum(len(row) != width for row in rows)
    except csv.Error:
        return 1


def looks_like_names(lines: list[str], separator: str, quote: str) -> bool:
    """Whether the first line is a header: all its cells are different texts, none is a number, and none comes again in
    its column."""
    first, *rest = (cells(line, separator, quote) for line in lines[:MOST_LINES])
    if len(set(first)) < len(first) or any(_is_number(cell) or not cell.strip() for cell in first):
        return False
    return not any(cell == other for row in rest for cell, other in zip(first, row, strict=False))


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
