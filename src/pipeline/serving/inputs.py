"""What `predict` and `drift` are given, in whichever form: files, a table with a row for each moment, or rows."""

from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path

import pyarrow as pa

from pipeline.config import DriftConfig, PredictConfig
from pipeline.data.archives import archive_in
from pipeline.data.formats.remote import is_url
from pipeline.data.prepared import ROW
from pipeline.data.profile.new_rows import NewRows, counted
from pipeline.data.schema import Schema
from pipeline.data.types.series import SeriesColumn
from pipeline.errors import DataError
from pipeline.serving.content_files import FILE, read_any_files, read_content_files, takes_files
from pipeline.serving.long_table import forecasts_of, takes_long_table
from pipeline.serving.row_files import read_any_rows, read_file
from pipeline.serving.windows_apart import windows_apart


def read_input(schema: Schema, config: PredictConfig) -> Iterator[tuple[pa.Table, pa.Table]]:
    """What to predict, some at a time: the columns that say of what each prediction is, and the features, each in the
    storage of its type. Raises DataError for what no model takes, at once or after the last rows."""
    check_no_archive(config.input)
    if takes_files(schema, config):
        return begun(named(FILE, names, rows) for names, rows in read_content_files(schema, config))
    if takes_long_table(schema, config):
        return forecasts_of(schema, config)
    return begun(named(ROW, ids, rows) for ids, rows in read_file(schema, config))


def named(column: str, names: list[str], rows: pa.Table) -> tuple[pa.Table, pa.Table]:
    return pa.table({column: pa.array(names, pa.string())}), rows


def begun(parts: Iterator[tuple[pa.Table, pa.Table]]) -> Iterator[tuple[pa.Table, pa.Table]]:
    """The same parts, of which the first two are read: what is wrong with a small input is said before a model is
    loaded."""
    first = list(islice(parts, 2))
    return chain(first, parts)


def check_no_archive(given: str) -> None:
    """Raise DataError for an archive and for what is in one: it would be unpacked into the folder in which somebody
    happens to work."""
    if not is_url(given) and (archive := archive_in(Path(given))) is not None:
        raise DataError(f"{given}: {archive} is an archive, expected files that are not packed. Unpack it first.")


def read_any(schema: Schema, config: DriftConfig) -> NewRows:
    """All rows of the input as `read_any_rows` gives them, the contents of files, or windows that are cut from it."""
    check_no_archive(config.input)
    if takes_files(schema, config):
        return read_any_files(schema, config)
    if takes_long_table(schema, config):
        return windows_apart(schema, config)
    found, column = read_any_rows(schema, config), schema.features[0].config
    return counted(found.table, found.refused, column.overlap if isinstance(column, SeriesColumn) else 1)
