"""Raw rows in a file, for batch prediction."""

from pathlib import Path

import pyarrow as pa

from pipeline.config import PredictConfig
from pipeline.config.checks import one_of
from pipeline.data.formats import FORMATS
from pipeline.data.formats.bad_rows import about_unreadable
from pipeline.data.formats.finding import AUTO, format_of
from pipeline.data.formats.remote import find_remote, is_url
from pipeline.data.formats.rows import TableFile, layout_of
from pipeline.data.prepared import ROW
from pipeline.data.reading import Refused
from pipeline.data.schema import Schema
from pipeline.errors import DataError
from pipeline.serving.rows import read_columns


def read_file(schema: Schema, config: PredictConfig) -> tuple[list[str], pa.Table]:
    """The rows of the input: their ids, and the features, each in the storage of its type. The ids are those of the
    column `row`, and else, and for JSON lines, the rows' numbers from 0.

    Raises DataError for a file that cannot be read, and for rows that no model takes: all columns with refused values,
    and the first rows of each, counted from 1 as in training.
    """
    one_of("format", config.format, (AUTO, *FORMATS))
    file = _file(config.input)
    path = file.name
    name = format_of([file]) if config.format == AUTO else config.format
    columns = [column.name for column in schema.features]
    has_ids = ROW in (FORMATS[name].names(file, layout_of(config, name, columns)) or [])
    refused, unreadable = Refused(), list[str]()
    ids: list[str] = []
    parts = [pa.table({column.name: pa.array([], column.storage) for column in schema.features})]
    for rows in FORMATS[name].rows(file, layout_of(config, name, [*columns, *[ROW] * has_ids])):
        unreadable += [f"row {number}: {why}" for number, why in rows.unreadable]
        found = pa.table({name: rows.columns[name] for name in columns})
        parts.append(read_columns(schema, found, path, rows.numbers, refused))
        ids += [str(row) for row in rows.columns[ROW].to_pylist()] if has_ids else []
    if refused.counts or unreadable:
        about = [str(refused.error(path, schema.features))] if refused.counts else [f"{path}:"]
        raise DataError(" ".join(about + [about_unreadable(unreadable, len(unreadable))] * bool(unreadable)))
    table = pa.concat_tables(parts)
    return ids or [str(row) for row in range(table.num_rows)], table


def _file(name: str) -> TableFile:
    """The file of this name or URL. Raises DataError."""
    found = find_remote(name) if is_url(name) else [TableFile(Path(name), str(Path(name)))] * Path(name).is_file()
    if len(found) != 1:
        raise DataError(f"{name}: {f'{len(found)} files' if found else 'not found'}, expected a file with rows.")
    return found[0]
