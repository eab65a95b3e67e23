"""Rows in the forms that people have: a data frame, columns, or records."""

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from pipeline.config import ColumnConfig
from pipeline.data.reading import MOST_PLACES
from pipeline.data.schema import Column, Schema
from pipeline.errors import DataError, did_you_mean

BYTES, TEXTS = "bytes", "texts"  # in which a file may be given
UNKNOWN_TO_ARROW = (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError, UnicodeError)


def as_table(given: Any, schema: Schema) -> pa.Table:
    """Rows in any form that people have as a raw table. Raises DataError for something else."""
    names = [column.name for column in schema.features]
    if isinstance(given, list) and all(isinstance(row, dict) for row in given):
        found = {str(key): key for row in given for key in row} if given else {name: name for name in names}
        given = {name: [row.get(key) for row in given] for name, key in found.items()}
    if isinstance(given, pd.DataFrame):
        if twice := [name for name in names if list(map(str, given.columns)).count(name) > 1]:
            raise DataError(f"input: found several columns {', '.join(twice)}, expected one of each.")
        given = _whole_columns({str(name): given[name] for name in given.columns}, schema)
    if not isinstance(given, dict):
        raise DataError(f"input: found {type(given).__name__}, expected a data frame, columns or records.")
    if lacking := [name for name in names if name not in given]:
        known = did_you_mean(lacking[0], map(str, given))
        raise DataError(f"input: there is no column {', '.join(map(repr, lacking[:MOST_PLACES]))} {known}")
    columns = {column.name: _column(given[column.name], column) for column in schema.features}
    lengths = {name: len(values) for name, values in columns.items()}
    if len(set(lengths.values())) > 1:
        raise DataError(f"input: found columns of different lengths ({lengths}), expected one value in each row.")
    return pa.table(columns)


def _whole_columns(given: dict[str, Any], schema: Schema) -> dict[str, Any]:
    """The columns of a data frame. MLflow makes a frame of a single row of a dict of lists, each of which is a column:
    such lists become columns again. An image may be a list, too, but of numbers; a list of files is a column."""
    known = [column for column in schema.features if column.name in given and len(given[column.name]) == 1]
    cells = {column.name: given[column.name].iloc[0] for column in known}
    telling = [cells[c.name] for c in known if not c.type.is_content or _is_of_files(cells[c.name])]
    if telling and all(isinstance(cell, list | np.ndarray) for cell in telling):
        return {name: values.iloc[0] for name, values in given.items()}
    return given


def _is_of_files(cell: Any) -> bool:
    """Whether the cell of a frame holds several files, as bytes or in base64."""
    whole = isinstance(cell, list | np.ndarray) and not _is_one(cell)
    return whole and len(cell) > 0 and isinstance(cell[0], str | bytes)


def _column(values: Any, column: Column) -> pa.Array:
    """Values of whatever kind as Arrow."""
    if not isinstance(values, list | tuple | np.ndarray | pd.Series | pd.Index | pa.Array) or _is_one(values):
        raise DataError(f"input: column '{column.name}' is {type(values).__name__}, expected one value for each row.")
    if column.type.is_content:
        return _contents(values, column)
    if isinstance(values, np.ndarray) and values.ndim > 1:
        values = values.reshape(len(values), -1)
        values = values[:, 0] if values.shape[1] == 1 else values.tolist()
    try:
        if len(kinds_of(values)) <= 1:
            return _whole(pa.array(values.array if isinstance(values, pd.Series) else values, from_pandas=True))
    except UNKNOWN_TO_ARROW:
        pass
    return _of_several_kinds(list(values), column)


def _of_several_kinds(values: list[Any], column: Column) -> pa.UnionArray:
    """A union of arrays, one for each kind of values, so that each is read as if it stood alone (serving/rows.py)."""
    kinds = ["" if _is_missing(value) else kind_of(value) for value in values]
    by_kind: dict[str, list[Any]] = {kind: [] for kind in kinds}
    offsets = []
    for kind, value in zip(kinds, values, strict=True):
        offsets.append(len(by_kind[kind]))
        by_kind[kind].append(value)
    codes = {kind: code for code, kind in enumerate(by_kind)}
    children = [_of_one_kind(some, column) if kind else pa.nulls(len(some)) for kind, some in by_kind.items()]
    return pa.UnionArray.from_dense(
        pa.array([codes[kind] for kind in kinds], pa.int8()), pa.array(offsets, pa.int32()), children
    )


def _of_one_kind(values: list[Any], column: Column) -> pa.Array:
    """Values as Arrow, and whole numbers that are too large for it, such as 2^70, as their texts. What Arrow does not
    know otherwise, such as 1 + 2j, becomes lists, which no column takes: its text would pass for a category."""
    try:
        return pa.array(values)
    except UNKNOWN_TO_ARROW:
        pass
    if isinstance(values[0], np.longdouble):
        return pa.array(np.array(values, np.float64))
    if not isinstance(values[0], int | str):
        return pa.array([[repr(value)] for value in values])
    try:
        return pa.array([str(value) for value in values], pa.string())
    except UnicodeError as error:
        raise DataError(f"input: column '{column.name}' holds half a character ({error}), expected text.") from error


def _contents(values: Any, column: Column) -> pa.Array:
    """Images, recordings or windows: the bytes of files, or these in base64 as JSON has them, or arrays of numbers."""
    values = values.to_pylist() if isinstance(values, pa.Array) else values
    kinds = {_form(value) for value in values if not _is_missing(value)}
    if len(kinds) > 1:
        raise DataError(
            f"input: column '{column.name}' holds {' and '.join(sorted(kinds))}, expected one of them in all rows."
        )
    if kinds == {BYTES}:
        return pa.array([None if _is_missing(value) else bytes(value) for value in values], pa.binary())
    if kinds == {TEXTS}:
        return pa.array([None if _is_missing(value) else value for value in values], pa.string())
    flat = [_flat(value, column.config) for value in values]
    # Whole numbers stay such: as the samples of a recording they are of 16 bits, however small they are.
    whole = any(flat) and all(isinstance(number, int) for numbers in flat for number in numbers or [])
    return pa.array(flat, pa.list_(pa.int64() if whole else pa.float64()))


def _form(value: Any) -> str:
    """How an image or a recording is given, in words."""
    if isinstance(value, bytes | bytearray | memoryview):
        return BYTES
    return TEXTS if isinstance(value, str) else "arrays"


def kinds_of(values: Any) -> set[str]:
    """The kinds of the values in a list, or in an array of objects; numbers are of one kind, and there is none where an
    array has a type of its own. Arrow would read a moment among days as a day."""
    if not isinstance(values, list | tuple) and str(getattr(values, "dtype", "")) != "object":
        return set()
    numbers = int | float | np.integer | np.floating
    return {
        "number" if isinstance(value, numbers) and not isinstance(value, bool) else kind_of(value)
        for value in values
        if not _is_missing(value)
    }


def kind_of(value: Any) -> str:
    """The name of a value's type; moments in a time zone are of a kind of their own."""
    return f"{type(value).__name__} {getattr(value, 'tzinfo', None) is not None}"


def _is_one(values: Any) -> bool:
    return isinstance(values, np.ndarray) and values.ndim == 0


def _flat(value: Any, config: ColumnConfig) -> list[float] | list[int] | None:
    """The values of an image or a window row by row, whether it comes in its shape or flat; none at all for one of
    another shape, which is then refused. A recording's values have no shape."""
    if _is_missing(value):
        return None
    try:
        array = np.asarray(value.tolist() if isinstance(value, np.ndarray) else value)
        array = array if array.dtype == np.int64 else array.astype(np.float64)
    except (ValueError, TypeError):
        return []
    shape = getattr(config, "shape", [array.size])
    fits = array.size == np.prod(shape) and (
        array.ndim == 1 or array.squeeze().shape == np.empty(shape).squeeze().shape
    )
    return array.reshape(-1).tolist() if fits else []


def _whole(values: Any) -> pa.Array:
    return values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values


def _is_missing(value: Any) -> bool:
    return value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and np.isnan(value))
