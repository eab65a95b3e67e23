"""Raw rows in a file, for batch prediction."""

from pathlib import Path

import pyarrow as pa

from pipeline.data.formats import FORMATS
from pipeline.data.formats.finding import format_of
from pipeline.data.formats.rows import Layout, TableFile
from pipeline.data.prepared import ROW
from pipeline.data.schema import Schema
from pipeline.errors import DataError
from pipeline.serving.rows import read_rows


def read_file(schema: Schema, path: Path) -> tuple[list[str], pa.Table]:
    """The rows of a file (CSV, tab-separated, Parquet, JSON lines or Arrow): their ids, and the features, each in the
    storage of its type. The ids are those of the column `row`, and else the rows' numbers from 0.

    Raises DataError as `read_rows` does, and for a file that cannot be read.
    """
    if not path.is_file():
        raise DataError(f"{path}: not found, expected a file with rows.")
    file = TableFile(path, str(path))
    name = format_of([file])
    separator = "\t" if name == "tsv" else ","
    columns = tuple(column.name for column in schema.features)
    known = FORMATS[name].names(file, Layout(columns, separator)) or []
    layout = Layout((*columns, *[ROW] * (ROW in known)), separator)
    ids: list[str] = []
    parts = []
    for rows in FORMATS[name].rows(file, layout):
        for number, why in rows.unreadable:
            raise DataError(f"{path}: row {number}: {why}")
        found = pa.table({name: rows.columns[name] for name in columns})
        parts.append(read_rows(schema, found, str(path), rows.numbers))
        ids += [str(row) for row in rows.columns[ROW].to_pylist()] if ROW in known else []
    if not parts:
        parts = [pa.table({column.name: pa.array([], column.storage) for column in schema.features})]
    table = pa.concat_tables(parts)
    return ids or [str(row) for row in range(table.num_rows)], table
