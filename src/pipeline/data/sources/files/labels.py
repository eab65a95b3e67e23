"""Where the label of a file comes from, and the columns that have a role. LABELS has the ways."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
import pyarrow as pa

from pipeline.data.formats import FORMATS
from pipeline.data.formats.bad_rows import BadRows
from pipeline.data.formats.finding import find_files, format_of
from pipeline.data.formats.rows import layout_of
from pipeline.data.heard import tell_left_out
from pipeline.data.reading import read_values
from pipeline.data.schema import Column
from pipeline.data.sources.files.bad_files import BadFiles
from pipeline.data.sources.files.config import FILE, FOLDER, MANIFEST, PATTERN, REFUSE, FilesDataset
from pipeline.data.sources.source import Columns
from pipeline.data.types.category import CategoryColumn
from pipeline.data.types.text import TextColumn
from pipeline.data.types.type import DOUBTFUL, shown
from pipeline.errors import DataError


@dataclass(frozen=True)
class Labelled:
    """The paths of files in their folder, and what is known of them: columns (N,) by name, in the storage of their
    types."""

    names: list[str]
    columns: dict[str, pa.Array]


def from_folder(config: FilesDataset, columns: Columns, names: list[str], root: Path, bad: BadFiles) -> Labelled:
    """The label is the first folder on a file's path; the pattern may tell the rest."""

    def texts(name: str) -> Mapping[str, str | None] | str:
        folder, inside, _ = name.partition("/")
        if not inside:
            return "in no folder of a class"
        groups = _groups(config.pattern, name)
        return groups if isinstance(groups, str) else {**groups, config.target: folder}

    return _from_texts(columns, names, texts, bad)


def from_pattern(config: FilesDataset, columns: Columns, names: list[str], root: Path, bad: BadFiles) -> Labelled:
    """Each column is what the pattern's group of its name matches."""
    return _from_texts(columns, names, lambda name: _groups(config.pattern, name), bad)


def _groups(pattern: str | None, name: str) -> Mapping[str, str | None] | str:
    """What a pattern's groups match in a path; in words what is wrong where the pattern does not."""
    if pattern is None:
        return {}
    found = re.fullmatch(pattern, name)
    return found.groupdict() if found else "the pattern does not match"


Texts = Callable[[str], Mapping[str, str | None] | str]


def _from_texts(columns: Columns, names: list[str], texts: Texts, bad: BadFiles) -> Labelled:
    """Columns whose values are texts that a path tells. Files with others than their types take are bad ones."""
    wanted = [columns.target, *columns.roles.values()]
    known, rows = [], []
    for name in names:
        found = texts(name)
        if isinstance(found, str):
            bad.note(name, found)
        else:
            known.append(name)
            rows.append(found)
    good, values = np.ones(len(known), bool), {}
    for column in wanted:
        raw = pa.array([row[column.name] for row in rows], pa.string())
        parsed = read_values(column, raw, column.config.missing or ())
        values[column.name] = parsed.values
        for i in np.flatnonzero(parsed.values.is_null().to_numpy(zero_copy_only=False) & good):
            text = raw[int(i)].as_py()
            wrong = f"{shown(text)} is not {column.type.expected}, the value" if text is not None else "no value"
            bad.note(known[i], f"{wrong} of '{column.name}'", advice=_advice(column, text, column is columns.target))
            good[i] = False
    kept = pa.array(good)
    return Labelled(
        [name for name, ok in zip(known, good, strict=True) if ok], {k: v.filter(kept) for k, v in values.items()}
    )


def _advice(column: Column, text: str | None, is_target: bool) -> str:
    """What to do about a text that is no value of a column."""
    if is_target and text in DOUBTFUL and isinstance(column.config, CategoryColumn) and not column.config.values:
        return f"Name all classes in classes (classes: [{text!r}, ...]) if it is the name of one."
    return "" if text is None else column.type.advice(text, column.config)


def from_manifest(config: FilesDataset, columns: Columns, names: list[str], root: Path, bad: BadFiles) -> Labelled:
    """Each column is one of the table that `manifest` names. Prints how many files it does not name."""
    assert config.manifest is not None
    table, num_skipped = read_manifest(config, columns, root)
    place: dict[str, int] = {}
    for i, path in enumerate(table[FILE].to_pylist()):
        if place.setdefault(PurePosixPath(path).as_posix(), i) != i:
            raise DataError(f"{config.manifest}: names {PurePosixPath(path)} twice, expected each file once.")
    there = set(names)
    for path in place:
        if path not in there:
            bad.note(path, f"named in {config.manifest}, but not there")
    if others := [name for name in names if name not in place]:
        count = "1 file is" if len(others) == 1 else f"{len(others)} files are"
        first = ", ".join(others[:3]) + (", ..." if len(others) > 3 else "")
        where = f"{config.manifest} (or in rows that were skipped)" if num_skipped else config.manifest
        print(f"{config.name}: {count} not named in {where}, and left out: {first}")
    known = [name for name in names if name in place]
    rows = table.take(pa.array([place[name] for name in known], pa.int64()))
    return Labelled(known, {name: rows[name].combine_chunks() for name in rows.column_names if name != FILE})


def read_manifest(config: FilesDataset, columns: Columns, root: Path) -> tuple[pa.Table, int]:
    """The columns of the manifest, and how many bad rows were skipped, which it prints. Raises DataError for what is no
    such table, and for bad rows, unless they are to be skipped."""
    assert config.manifest is not None
    found = find_files([config.manifest], root)
    wanted = [Column(FILE, TextColumn("text")), columns.target, *columns.roles.values()]
    required = {FILE: "file", columns.target.name: "target"} | {c.name: role for role, c in columns.roles.items()}
    bad = BadRows(wanted, required, several=False, listed=config.on_bad_row == REFUSE)
    name = format_of(found)
    layout = layout_of(config, name, [column.name for column in wanted])
    parts = [bad.read(found[0], rows) for rows in FORMATS[name].rows(found[0], layout)]
    if bad.num_bad and config.on_bad_row == REFUSE:
        raise bad.error(config.manifest)
    if bad.num_bad:
        tell_left_out(config.manifest, bad.summary())
    schema = pa.schema([(column.name, column.storage) for column in wanted])
    return pa.Table.from_batches(parts, schema), bad.num_bad


Reader = Callable[[FilesDataset, Columns, list[str], Path, BadFiles], Labelled]
LABELS: dict[str, Reader] = {FOLDER: from_folder, PATTERN: from_pattern, MANIFEST: from_manifest}
