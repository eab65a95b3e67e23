"""What `predict` and `drift` are given, in whichever form: files, a table with a row for each moment, or rows."""

from collections.abc import Iterator

import pyarrow as pa

from pipeline.config import DriftConfig, PredictConfig
from pipeline.data.prepared import ROW
from pipeline.data.schema import Schema
from pipeline.serving.content_files import FILE, read_content_files, takes_files
from pipeline.serving.long_table import forecasts_of, takes_long_table, windows_apart
from pipeline.serving.row_files import read_any_rows, read_file


def read_input(schema: Schema, config: PredictConfig) -> Iterator[tuple[pa.Table, pa.Table]]:
    """What to predict, some at a time: the columns that say of what each prediction is, and the features, each in the
    storage of its type. Raises DataError for what no model takes."""
    if takes_files(schema, config):
        return ((pa.table({FILE: names}), rows) for names, rows in read_content_files(schema, config.input))
    if takes_long_table(schema, config):
        return forecasts_of(schema, config)
    ids, rows = read_file(schema, config)
    return iter([(pa.table({ROW: ids}), rows)])


def read_any(schema: Schema, config: DriftConfig) -> tuple[pa.Table, dict[str, int]]:
    """All rows of the input as `read_any_rows` gives them, or windows that are cut from it."""
    if takes_long_table(schema, config):
        return windows_apart(schema, config), {}
    return read_any_rows(schema, config)
