"""The files of a table: how they are written, and their first rows."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from pipeline.data.formats import FORMATS, json_lines
from pipeline.data.formats.csv import CSV
from pipeline.data.formats.finding import AUTO, by_ending, find_files, format_of
from pipeline.data.formats.json_lines import JSON_LINES
from pipeline.data.formats.lines import chunks, line_blocks
from pipeline.data.formats.rows import Layout, TableFile
from pipeline.errors import DataError, did_you_mean
from pipeline.inspecting import texts

MOST_ROWS = 100_000
MOST_BYTES = 2**28


@dataclass
class Files:
    """`format` is a name in FORMATS; `ending` says whether the files' names say so. `names` are all columns of the
    first file in their order, and `nested` those of JSON that hold more than one value. `columns` are the raw values of
    those that can be read, of the first `num_rows` rows. `whole` says whether those are all. `unreadable` counts the
    others among them, and `why` is about the first."""

    files: list[TableFile]
    format: str
    ending: bool
    layout: Layout
    mark: bool = False
    names: list[str] = field(default_factory=list)
    nested: list[str] = field(default_factory=list)
    columns: dict[str, pa.Array] = field(default_factory=dict)
    num_rows: int = 0
    whole: bool = True
    unreadable: int = 0
    why: str = ""

    @property
    def is_text(self) -> bool:
        return self.has_cells or FORMATS[self.format] is JSON_LINES

    @property
    def has_cells(self) -> bool:
        return FORMATS[self.format] is CSV

    @property
    def separator(self) -> str | None:
        """What a dataset's YAML has to say of the separator."""
        return None if self.layout.separator == ("\t" if self.format == "tsv" else ",") else self.layout.separator

    @property
    def format_key(self) -> str:
        return AUTO if self.ending else self.format


def look(path: str, root: Path, target: str) -> Files:
    """Find out how the files are written, and read their first rows. Raises DataError, also where the target is not
    there."""
    found = _described(find_files([path], root), target)
    format, layout = FORMATS[found.format], found.layout
    first = found.files[0]
    if FORMATS[found.format] is JSON_LINES:
        found.names, found.nested = _keys(first, layout.encoding)
        if not (found.names or found.nested):
            raise DataError(f"{first.name}: no line is an object of JSON. {json_lines.ADVICE}")
    else:
        found.names = format.names(first, layout) or []
    _check_target(found, target)
    readable = tuple(name for name in found.names if name and found.names.count(name) == 1)
    _read(found, replace(layout, columns=readable))
    if not found.num_rows:
        bad = f"none of its {found.unreadable} rows can be read ({found.why})" if found.unreadable else "no rows"
        raise DataError(f"{first.name}: {bad}, expected one or more.")
    return found


def _described(files: list[TableFile], target: str) -> Files:
    ending = by_ending(files[0]) is not None
    name = format_of(files) if ending else _by_content(files[0])
    found = Files(files, name, ending, Layout(()))
    if found.is_text:
        encoding = texts.encoding_of(files)
        found.layout, found.mark = replace(found.layout, encoding=encoding), texts.has_mark(files[0])
        if found.has_cells:
            found.layout = _cells(files[0], found, target)
    return found


def _cells(file: TableFile, found: Files, target: str) -> Layout:
    """How rows are written as cells. Whether the first row is a header follows from the target, which it must name."""
    lines = texts.first_lines(file, found.layout.encoding)
    if not lines:
        raise DataError(f"{file.name}: empty, expected rows.")
    separator = texts.separator_of(lines)
    quote, newlines = texts.quotes_of(lines, separator)
    first = texts.cells(lines[0], separator, quote)
    counted = [f"column_{i + 1}" for i in range(len(first))]
    header = target in first or (target not in counted and texts.looks_like_names(lines, separator, quote))
    return replace(found.layout, separator=separator, header=header, quote=quote, newlines=newlines)


def _by_content(file: TableFile) -> str:
    start = next(chunks(file, 2**12))
    if start.startswith(b"PAR1"):
        return "parquet"
    if start.startswith(b"ARROW1"):
        return "arrow"
    return "jsonl" if start.lstrip().startswith(b"{") else "csv"


def _check_target(found: Files, target: str) -> None:
    name = found.files[0].name
    if target in found.names:
        if (count := found.names.count(target)) > 1:
            raise DataError(f"{name}: {count} columns are named '{target}', expected one. Rename the others.")
        return
    advice = "" if found.layout.header else " The first row looks like data, so columns are named by their place."
    raise DataError(f"{name}: there is no column '{target}' {did_you_mean(target, found.names)}{advice}")


def _keys(file: TableFile, encoding: str) -> tuple[list[str], list[str]]:
    """The keys of the first JSON lines, in their order: those that hold one value, and those that hold lists or
    objects."""
    keys: dict[str, bool] = {}
    for i, line in enumerate(line for block in line_blocks(file, encoding) for line in block.split(b"\n")):
        if i >= MOST_ROWS:
            break
        try:
            row: Any = json.loads(line)
        except (ValueError, RecursionError):
            continue
        for key, value in row.items() if isinstance(row, dict) else ():
            keys[key] = keys.get(key, True) and not isinstance(value, list | dict)
    return [key for key, flat in keys.items() if flat], [key for key, flat in keys.items() if not flat]


def _read(found: Files, layout: Layout) -> None:
    """Read the first rows of all files."""
    parts: dict[str, list[pa.Array]] = {name: [] for name in layout.columns}
    size = 0
    for file, rows in _parts(found, layout):
        if found.num_rows >= MOST_ROWS or size >= MOST_BYTES:
            found.whole = False
            break
        kept = min(len(rows.numbers), MOST_ROWS - found.num_rows)
        found.whole &= kept == len(rows.numbers)
        for name, values in rows.columns.items():
            parts[name].append(values[:kept])
            size += values.nbytes
        if rows.unreadable and not found.unreadable:
            number, why = rows.unreadable[0]
            found.why = f"row {number} of {file.name}: {why}"
        found.unreadable += len(rows.unreadable)
        found.num_rows += kept
        if not found.whole:
            break
    for name, arrays in parts.items():
        found.columns[name] = _together(arrays)


def _parts(found: Files, layout: Layout) -> Iterator[tuple[TableFile, Any]]:
    for file in found.files:
        for rows in FORMATS[found.format].rows(file, layout):
            yield file, rows


def _together(arrays: list[pa.Array]) -> pa.Array:
    """All values in one array; texts of any kind as plain ones."""
    plain = [array.dictionary_decode() if pa.types.is_dictionary(array.type) else array for array in arrays]
    if plain and (pa.types.is_large_string(plain[0].type) or pa.types.is_string_view(plain[0].type)):
        plain = [array.cast(pa.string()) for array in plain]
    try:
        return pa.concat_arrays(plain) if plain else pa.array([], pa.string())
    except pa.ArrowInvalid as error:
        raise DataError(
            f"found values of the types {' and '.join(sorted({str(a.type) for a in plain}))}, expected one "
            "type in all files."
        ) from error
