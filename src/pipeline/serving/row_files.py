"""Raw rows in a file, for batch prediction."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.config import DriftConfig, PredictConfig
from pipeline.config.checks import one_of
from pipeline.config.experiment import SKIP
from pipeline.data.formats import FORMATS
from pipeline.data.formats.bad_rows import about_unreadable
from pipeline.data.formats.finding import AUTO, format_of
from pipeline.data.formats.remote import find_remote, is_url
from pipeline.data.formats.rows import Format, TableFile, layout_of
from pipeline.data.formats.text_lines import LINES
from pipeline.data.prepared import ROW
from pipeline.data.reading import MOST_PLACES, Refused
from pipeline.data.schema import Schema
from pipeline.errors import DataError
from pipeline.serving.fasta_records import FASTA, is_fasta
from pipeline.serving.rows import Numbers, read_columns, with_empty_cells

# What `format` may be, beside `auto`. FASTA is no format of tables: a dataset of it needs labels from elsewhere.
INPUT_FORMATS: dict[str, Format] = {**FORMATS, "fasta": FASTA}
SKIP_ADVICE = "Set on_bad_row=skip to leave such rows out."


@dataclass
class Part:
    """Some rows of a file: their `ids` and `numbers` as a person counts, the features, each in the storage of its type,
    and which rows (n,) have `refused` values. These are null."""

    ids: list[str]
    numbers: Numbers
    table: pa.Table
    refused: NDArray[np.bool_]


@dataclass
class Trouble:
    """What is wrong with the rows of an input, of which so many could not be read or hold refused values (`num_bad`).
    `unreadable` are the first of those that could not be read, and why."""

    num_rows: int = 0
    num_bad: int = 0
    num_unreadable: int = 0
    unreadable: list[str] = field(default_factory=list)
    refused: Refused = field(default_factory=lambda: Refused(served=True))

    def add(self, unreadable: list[tuple[int, str]], bad: NDArray[np.bool_]) -> None:
        """Take note of rows that could not be read, and of which of the others (n,) hold refused values."""
        self.num_rows += len(unreadable) + len(bad)
        self.num_bad += len(unreadable) + int(bad.sum())
        self.num_unreadable += len(unreadable)
        places = unreadable[: MOST_PLACES - len(self.unreadable)]
        self.unreadable += [f"row {number}: {why}" for number, why in places]

    def error(self, where: str, schema: Schema) -> DataError:
        """One line about all bad rows."""
        about = [str(self.refused.error(where, schema.features))] if self.refused.counts else [f"{where}:"]
        more = [about_unreadable(self.unreadable, self.num_unreadable)] * bool(self.unreadable)
        return DataError(" ".join([*about, *more, SKIP_ADVICE]))

    def summary(self) -> str:
        """What was left out, in a few words."""
        parts = [f"refused in {name}: {count}" for name, count in self.refused.counts.items()]
        parts += [f"not readable: {self.num_unreadable}"] * bool(self.unreadable)
        return f"skipped {self.num_bad} of {self.num_rows} rows ({', '.join(parts)})"


def read_file(schema: Schema, config: PredictConfig) -> Iterator[tuple[list[str], pa.Table]]:
    """The rows of the input, some at a time: their ids, and the features, each in the storage of its type. The ids are
    those of the column `row`, and else, and for JSON lines, the rows' numbers from 0. Lines of text have the numbers
    that an editor shows, from 1 and with the empty ones.

    Raises DataError for a file that cannot be read, and after the last rows for those that no model takes: all columns
    with refused values, and the first rows of each, counted from 1 as in training. With `on_bad_row=skip`, such rows
    are left out, and their number is printed.
    """
    schema, trouble, num_parts = with_empty_cells(schema), Trouble(), 0
    for part in _parts(schema, config, trouble):
        good = np.flatnonzero(~part.refused)
        if len(good) and (not trouble.num_bad or config.on_bad_row == SKIP):
            num_parts += 1
            yield [part.ids[i] for i in good], part.table.take(pa.array(good)) if part.refused.any() else part.table
    if trouble.num_bad and config.on_bad_row != SKIP:
        raise trouble.error(config.input, schema)
    if trouble.num_bad == trouble.num_rows > 0:
        raise DataError(f"{config.input}: no rows that can be used ({trouble.summary()}), expected one or more.")
    if trouble.num_bad:
        print(f"{config.input}: {trouble.summary()}")
    if not num_parts:
        yield [], _no_rows(schema)


@dataclass
class Found:
    """All rows of a file: their `numbers` as a person counts, and the features, each in the storage of its type.
    `refused` counts the values in each column that its type does not take. These are null."""

    numbers: list[int]
    table: pa.Table
    refused: dict[str, int]


def read_any_rows(schema: Schema, config: DriftConfig) -> Found:
    """The features of all rows of the input, null where a type refuses a value. A missing value or a category that no
    training row had is not refused. Raises DataError for a file that cannot be read, and for rows that cannot, unless
    they are to be left out; then their number is printed."""
    known = with_empty_cells(schema).features
    features = [replace(column, nullable=True, categories=[], loses_texts=False) for column in known]
    schema, trouble = replace(schema, features=features), Trouble()
    numbers, tables = list[int](), [_no_rows(schema)]
    for part in _parts(schema, config, trouble):
        numbers += part.numbers.tolist()
        tables.append(part.table)
    if trouble.unreadable:
        about = f"{config.input}: {about_unreadable(trouble.unreadable, trouble.num_unreadable)}"
        if config.on_bad_row != SKIP:
            raise DataError(f"{about} {SKIP_ADVICE}")
        print(f"{about} They are left out.")
    return Found(numbers, pa.concat_tables(tables), trouble.refused.counts)


def _no_rows(schema: Schema) -> pa.Table:
    return pa.table({column.name: pa.array([], column.storage) for column in schema.features})


def _parts(schema: Schema, config: PredictConfig | DriftConfig, trouble: Trouble) -> Iterator[Part]:
    """The rows of the input, some at a time. What is wrong with them is noted in `trouble`."""
    file, name = input_file(config)
    format, columns = INPUT_FORMATS[name], [column.name for column in schema.features]
    has_ids = ROW not in columns and ROW in (format.names(file, layout_of(config, name, columns)) or [])
    found = format.rows(file, layout_of(config, name, [*columns, *[ROW] * has_ids]))
    for rows in chain.from_iterable(some.parts(schema.row_bytes) for some in found):
        raw = pa.table({name: rows.columns[name] for name in columns})
        table, bad = read_columns(schema, raw, file.name, rows.numbers, trouble.refused)
        trouble.add(rows.unreadable, bad)
        if has_ids:
            ids = [*map(str, rows.columns[ROW].to_pylist())]
        else:
            ids = [*map(str, (rows.numbers - int(format is not LINES)).tolist())]
        yield Part(ids, rows.numbers, table, bad)


def input_file(config: PredictConfig | DriftConfig) -> tuple[TableFile, str]:
    """The file that `input` names, which may be a URL, and its format. Raises DataError."""
    one_of("format", config.format, (AUTO, *INPUT_FORMATS))
    name = config.input
    found = find_remote(name) if is_url(name) else [TableFile(Path(name), str(Path(name)))] * Path(name).is_file()
    if len(found) != 1:
        raise DataError(f"{name}: {f'{len(found)} files' if found else 'not found'}, expected a file with rows.")
    if config.format != AUTO:
        return found[0], config.format
    return found[0], "fasta" if is_fasta(found[0]) else format_of(found)
