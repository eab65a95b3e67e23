"""How pyarrow.csv splits rows into cells, which stay text, and how it is told that a quote is left open."""

import io
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pcsv

from pipeline.data.ahead import ahead
from pipeline.data.formats import lines
from pipeline.data.formats.rows import Layout, Rows, TableFile
from pipeline.errors import DataError

END = "\x03end of the file\x03"  # in each cell of a row that is put after the last one
GOES_ON = "a quote is left open, so that a cell goes on in the next line."
NOT_CLOSED = "Close it, or set quote: '' if quotes are part of the text."
OPEN = "Close it, or set quote: '' if quotes are part of the text, or newlines: true if a cell may hold line breaks."


def _options(layout: Layout, names: list[str], every: bool, handler: Callable[[Any], str], size: int) -> dict[str, Any]:
    """The options of pyarrow.csv for these columns, or for all of them, as text. They go by place, because those that
    are not read may share a name."""
    places = range(len(names)) if every else [names.index(name) for name in layout.columns]
    return {
        "read_options": pcsv.ReadOptions(
            column_names=[str(i) for i in range(len(names))], use_threads=False, block_size=size
        ),
        "parse_options": pcsv.ParseOptions(
            delimiter=layout.separator,
            quote_char=layout.quote or False,
            newlines_in_values=layout.newlines,
            invalid_row_handler=handler,
        ),
        "convert_options": pcsv.ConvertOptions(
            include_columns=[str(i) for i in places],
            column_types={str(i): pa.string() for i in places},
            strings_can_be_null=False,
        ),
    }


def rows_of_lines(file: TableFile, layout: Layout, names: list[str], blocks: Iterator[bytes]) -> Iterator[Rows]:
    """Each line is a row, so each block can be read for itself, and rows that are fewer than lines mean an open
    quote."""
    before = 0
    for block, table, wrong in _parsed(layout, names, blocks):
        total = table.num_rows + len(wrong)
        # a lone carriage return ends a line, too
        num_lines = _count(block, b"\n") + (block.count(b"\r") - block.count(b"\r\n") if b"\r" in block else 0)
        if total < num_lines and total < sum(map(bool, block.splitlines())):
            raise _open_quote(file, layout, names, block, before)
        if _is_open(layout, names, block):
            raise DataError(f"{file.name}: row {before + total}: {GOES_ON} {OPEN}")
        bad = [(row.number + before, _fields(row)) for row in wrong]
        numbers = np.delete(np.arange(1, total + 1), [row.number - 1 for row in wrong]) + before
        columns = [column.combine_chunks() for column in table.columns]
        yield Rows(dict(zip(layout.columns, columns, strict=True)), numbers, bad)
        before += total


def _parsed(layout: Layout, names: list[str], blocks: Iterator[bytes]) -> Iterator[tuple[bytes, pa.Table, list[Any]]]:
    """Each block and its rows. The next block is parsed meanwhile."""
    yield from ahead((block, *_parse(layout, names, block)) for block in blocks)


def _parse(layout: Layout, names: list[str], block: bytes, every: bool = False) -> tuple[pa.Table, list[Any]]:
    """The rows of a block, and those with more or fewer fields than there are names."""
    wrong: list[Any] = []

    def handler(row: Any) -> str:
        wrong.append(row)
        return "skip"

    if not block.strip(b"\r\n"):
        return pa.table({name: pa.array([], pa.string()) for name in layout.columns}), wrong
    options = _options(layout, names, every, handler, len(block) + 1)
    return pcsv.read_csv(pa.BufferReader(block), **options), wrong


def _fields(row: Any) -> str:
    fields = "1 field" if row.actual_columns == 1 else f"{row.actual_columns} fields"
    return f"found {fields}, expected {row.expected_columns}"


def _open_quote(file: TableFile, layout: Layout, names: list[str], block: bytes, before: int) -> DataError:
    """The error for the first row in which a cell goes on in the next line."""
    table, wrong = _parse(layout, names, block, every=True)
    broken = [row.number for row in wrong if "\n" in row.text or "\r" in row.text]
    valid = np.delete(np.arange(1, table.num_rows + len(wrong) + 1), [row.number - 1 for row in wrong])
    for column in table.columns:
        places = np.flatnonzero(pc.match_substring_regex(column, "[\r\n]").to_numpy())
        broken.extend(valid[places[:1]].tolist())
    where = f"{file.name}: row {min(broken, default=1) + before}"
    return DataError(f"{where}: {GOES_ON} {OPEN}")


def _count(block: bytes, sign: bytes) -> int:
    """As bytes.count, which is slower where signs are many."""
    return int(np.count_nonzero(np.frombuffer(block, np.uint8) == ord(sign)))


def _is_open(layout: Layout, names: list[str], block: bytes) -> bool:
    """Whether the last line of a block leaves a quote open: then the row that is put after it is none."""
    last = block.rstrip(b"\r\n")
    last = last[max(last.rfind(b"\n"), last.rfind(b"\r")) + 1 :]
    if not layout.quote or layout.quote.encode() not in last:
        return False
    table, wrong = _parse(layout, names, last + b"\n" + _end(layout, names))
    return bool(table.num_rows + len(wrong) < 2)


def _end(layout: Layout, names: list[str]) -> bytes:
    return layout.separator.join([END] * len(names)).encode() + b"\n"


class _Blocks(io.RawIOBase):
    """Blocks as a file for pyarrow to read."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self.blocks, self.rest = blocks, b""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        """Nearly as many bytes as asked for, unless the file ends: pyarrow fails where less than a row comes at a time.
        It also drops a line feed at the start, even of a cell, so CR and LF are not parted."""
        parts, needed = [self.rest], size - len(self.rest)
        while needed > 0 and (block := next(self.blocks, None)) is not None:
            parts.append(block)
            needed -= len(block)
        found = b"".join(parts)
        end = size - 1 if found[size - 1 : size] == b"\r" and len(found) > 1 else size
        self.rest = found[end:]
        return found[:end]


def rows_of_cells(file: TableFile, layout: Layout, names: list[str], blocks: Iterator[bytes]) -> Iterator[Rows]:
    """A cell may hold line breaks, so pyarrow says where a row ends. If the last row is not the one put there, a quote
    is open."""
    wrong: list[Any] = []
    before = 0

    def handler(row: Any) -> str:
        wrong.append(row)
        return "skip"

    options = _options(layout, names, False, handler, lines.BLOCK)
    try:
        for batch in pcsv.open_csv(_Blocks(chain(blocks, [_end(layout, names)])), **options):
            num_rows = batch.num_rows
            # pyarrow reads ahead, so a row that is wrong may belong to a later batch
            late = [row.number for row in wrong]
            numbers = np.setdiff1d(np.arange(before + 1, before + num_rows + len(late) + 1), late)[:num_rows]
            before = int(numbers[-1]) if num_rows else before
            bad = [(row.number, _fields(row)) for row in wrong if row.number < before]
            del wrong[: len(bad)]
            ended = num_rows > 0 and batch.column(0)[-1].as_py() == END
            columns = [column[: num_rows - ended] for column in batch.columns]
            yield Rows(dict(zip(layout.columns, columns, strict=True)), numbers[: num_rows - ended], bad)
            if ended:
                return
    except pa.ArrowInvalid as error:
        reason = f"a quote is left open, or a cell is longer than {lines.BLOCK // 2**20} MiB"
        raise DataError(f"{file.name}: after row {before}: {reason}. {NOT_CLOSED}") from error
    last = wrong[-1].number if wrong else before
    raise DataError(f"{file.name}: row {last}: a quote is left open up to the end of the file. {NOT_CLOSED}")
