"""What `predict` and `drift` are given, in whichever form: files, a table with a row for each moment, or rows."""

from collections.abc import Iterator
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
from pipeline.serving.content_files import FILE, read_content_files, takes_files
from pipeline.serving.long_table import forecasts_of, takes_long_table
from pipeline.serving.row_files import read_any_rows, read_file
from pipeline.serving.windows_apart import windows_apart


def read_input(schema: Schema, config: PredictConfig) -> Iterator[tuple[pa.Table, pa.Table]]:
    """What to predict, some at a time: the columns that say of what each prediction is, and the features, each in the
    storage of its type. Raises DataError for what no model takes."""
    check_no_archive(config.input)
    if takes_files(schema, config):
        return ((pa.table({FILE: names}), rows) for names, rows in read_content_files(schema, config.input))
    if takes_long_table(schema, config):
        return forecasts_of(schema, config)
    ids, rows = read_file(schema, config)
    return iter([(pa.table({ROW: ids}), rows)])


def check_no_archive(given: str) -> None:
    """Raise DataError for an archive and for what is in one: it would be unpacked into the folder in which somebody
    happens to work."""
    if not is_url(given) and (archive := archive_in(Path(given))) is not None:
        raise DataError(f"{given}: {archive} is an archive, expected files that are not packed. Unpack it first.")


def read_any(schema: Schema, config: DriftConfig) -> NewRows:
    """All rows of the input as `read_any_rows` gives them, or windows that are cut from it."""
    check_no_archive(config.input)
    if takes_long_table(schema, config):
        return windows_apart(schema, config)
    found, column = read_any_rows(schema, config), schema.features[0].config
    return counted(found.table, found.refused.counts, column.overlap if isinstance(column, SeriesColumn) else 1)
