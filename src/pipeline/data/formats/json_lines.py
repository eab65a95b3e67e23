"""JSON lines: one object in each line, whose keys are the columns."""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from pipeline.data.formats.lines import line_blocks
from pipeline.data.formats.rows import Format, Layout, Rows, TableFile, check_names
from pipeline.data.types.type import shown
from pipeline.errors import DataError

ADVICE = "pandas writes such lines with to_json(orient='records', lines=True)."
SHORT: dict[type[Any], str] = {list: "a list", dict: "an object"}


class Unreadable(Exception):
    """Why a line is no row, in words."""


def rows(file: TableFile, layout: Layout) -> Iterator[Rows]:
    """The rows of a file, some at a time, as text: numbers as they are written, so that no digit is lost, and
    `true` and `false`. A key that a line lacks is a missing value there, but it must be in some line of the file."""
    number, known, first = 0, set[str](), ""
    for block in line_blocks(file, layout.encoding):
        cells: dict[str, list[str | None]] = {name: [] for name in layout.columns}
        numbers, unreadable = [], []
        for line in block.split(b"\n"):
            if not line.strip():
                continue
            number += 1
            try:
                values = _row(line, layout.columns, known)
            except Unreadable as error:
                unreadable.append((number, str(error)))
                first = first or f"line {number}: {error}"
                continue
            numbers.append(number)
            for name in layout.columns:
                cells[name].append(values[name])
        columns = {name: pa.array(texts, pa.string()) for name, texts in cells.items()}
        yield Rows(columns, np.array(numbers, np.int64), unreadable)
    if first and not known:
        raise DataError(f"{file.name}: no line is a row. {first[0].upper()}{first[1:]}. {ADVICE}")
    check_names(file, layout, sorted(known))


def _row(line: bytes, columns: tuple[str, ...], known: set[str]) -> dict[str, str | None]:
    """The cells of a line as text. Adds its keys to `known`."""
    try:
        row = json.loads(line, parse_int=str, parse_float=str, parse_constant=str, object_pairs_hook=_object)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"found {shown(line.decode())}, expected an object of JSON ({error})") from error
    if not isinstance(row, dict):
        raise Unreadable(f"found {shown(line.decode())}, expected an object of JSON")
    known.update(row)
    return {name: _text(name, row.get(name)) for name in columns}


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        names = [name for name, _ in pairs]
        raise Unreadable(f"found the key '{next(n for n in names if names.count(n) > 1)}' twice, expected it once")
    return values


def _text(name: str, value: Any) -> str | None:
    if isinstance(value, str):
        if not value.isascii() and any("\ud800" <= sign <= "\udfff" for sign in value):
            raise Unreadable(f"found half a character in '{name}', expected whole ones")
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return None
    raise Unreadable(f"found {SHORT[type(value)]} in '{name}', expected one value")


def names(file: TableFile, layout: Layout) -> None:
    """Lines may lack a key, so the names are known at the end of the file alone."""


JSON_LINES = Format(names, rows)
