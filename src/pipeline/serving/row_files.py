"""Raw rows in a file, for batch prediction."""

from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa

from pipeline.config import DriftConfig, PredictConfig
from pipeline.config.checks import one_of
from pipeline.data.formats import FORMATS
from pipeline.data.formats.bad_rows import about_unreadable
from pipeline.data.formats.finding import AUTO, format_of
from pipeline.data.formats.remote import find_remote, is_url
from pipeline.data.formats.rows import TableFile, layout_of
from pipeline.data.formats.text_lines import LINES
from pipeline.data.prepared import ROW
from pipeline.data.reading import Refused
from pipeline.data.schema import Schema
from pipeline.errors import DataError
from pipeline.serving.rows import read_columns


@dataclass
class Found:
    """What a file holds: the rows' `ids` and `numbers` as a person counts, the features, each in the storage of its
    type, and what is wrong with them. Refused values are null."""

    ids: list[str]
    numbers: list[int]
    table: pa.Table
    refused: Refused
    unreadable: list[str]


def read_file(schema: Schema, config: PredictConfig) -> tuple[list[str], pa.Table]:
    """The rows of the input: their ids, and the features, each in the storage of its type. The ids are those of the
    column `row`, and else, and for JSON lines, the rows' numbers from 0. Lines of text have the numbers that an editor
    shows, from 1 and with the empty ones.

    Raises DataError for a file that cannot be read, and for rows that no model takes: all columns with refused values,
    and the first rows of each, counted from 1 as in training.
    """
    found = _read(schema, config)
    if found.refused.counts or found.unreadable:
        path = config.input
        about = [str(found.refused.error(path, schema.features))] if found.refused.counts else [f"{path}:"]
        more = [about_unreadable(found.unreadable, len(found.unreadable))] * bool(found.unreadable)
        raise DataError(" ".join(about + more))
    return found.ids or [str(row) for row in range(found.table.num_rows)], found.table


def read_any_rows(schema: Schema, config: DriftConfig) -> Found:
    """The features of all rows of the input, null where a type refuses a value. A missing value or a category that no
    training row had is not refused. Raises DataError for a file that cannot be read."""
    features = [replace(column, nullable=True, categories=[]) for column in schema.features]
    found = _read(replace(schema, features=features), config)
    if found.unreadable:
        raise DataError(f"{config.input}: {about_unreadable(found.unreadable, len(found.unreadable))}")
    return found


def _read(schema: Schema, config: PredictConfig | DriftConfig) -> Found:
    file, name = input_file(config)
    columns = [column.name for column in schema.features]
    has_ids = ROW not in columns and ROW in (FORMATS[name].names(file, layout_of(config, name, columns)) or [])
    empty = pa.table({column.name: pa.array([], column.storage) for column in schema.features})
    found, parts = Found([], [], empty, Refused(), []), [empty]
    for rows in FORMATS[name].rows(file, layout_of(config, name, [*columns, *[ROW] * has_ids])):
        found.unreadable += [f"row {number}: {why}" for number, why in rows.unreadable]
        part = pa.table({name: rows.columns[name] for name in columns})
        parts.append(read_columns(schema, part, file.name, rows.numbers, found.refused))
        found.numbers += rows.numbers.tolist()
        if has_ids:
            found.ids += map(str, rows.columns[ROW].to_pylist())
        elif FORMATS[name] is LINES:
            found.ids += map(str, rows.numbers.tolist())
    found.table = pa.concat_tables(parts)
    return found


def input_file(config: PredictConfig | DriftConfig) -> tuple[TableFile, str]:
    """The file that `input` names, which may be a URL, and its format. Raises DataError."""
    one_of("format", config.format, (AUTO, *FORMATS))
    name = config.input
    found = find_remote(name) if is_url(name) else [TableFile(Path(name), str(Path(name)))] * Path(name).is_file()
    if len(found) != 1:
        raise DataError(f"{name}: {f'{len(found)} files' if found else 'not found'}, expected a file with rows.")
    return found[0], format_of(found) if config.format == AUTO else config.format
