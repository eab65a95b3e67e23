"""Raw rows, as people have them, in the form in which a model's inputs take them."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.config import ColumnConfig
from pipeline.data.reading import Refused, is_text, read_values
from pipeline.data.schema import Column, Schema
from pipeline.data.types.type import Parsed, all_refused, refused_where
from pipeline.errors import DataError

Numbers = NDArray[np.int64] | NDArray[np.object_]


def read_rows(schema: Schema, raw: pa.Table, where: str) -> pa.Table:
    """The features among the columns of a raw table, each in the storage of its type; their order does not matter.

    A value is what the training could have seen, or it is refused. Raises DataError that names all columns that hold
    refused values, with the first rows of each; its text begins with `where`.
    """
    schema, refused = with_empty_cells(schema), Refused(served=True)
    found, bad = read_columns(schema, raw, where, np.arange(1, raw.num_rows + 1), refused)
    if bad.any():
        raise refused.error(where, schema.features)
    return found


def with_empty_cells(schema: Schema) -> Schema:
    """A schema in which an empty text stands for a missing value where nothing else does: the column has missing values
    and names no text for them, as the data were no texts, and its type takes no empty text. Else rows in CSV could not
    tell a missing value."""
    features = [replace(column, config=_with_empty(column)) for column in schema.features]
    return replace(schema, features=features)


def _with_empty(column: Column) -> ColumnConfig:
    if not column.nullable or column.config.missing:
        return column.config
    refused = column.type.parse(pa.array([""]), column.config).refused
    return replace(column.config, missing=[""]) if refused.all() else column.config


def read_columns(
    schema: Schema, raw: pa.Table, where: str, numbers: Numbers, refused: Refused
) -> tuple[pa.Table, NDArray[np.bool_]]:
    """The features of some of the rows, each in the storage of its type, and which rows (N,) have refused values. These
    are null, and are noted in `refused` with the rows' numbers (N,) as a person counts."""
    found, bad = {}, np.zeros(raw.num_rows, bool)
    for column in schema.features:
        parsed = _read(column, raw[column.name], where)
        refused.add(column, raw[column.name], parsed.refused, numbers, parsed.reasons)
        found[column.name] = parsed.values
        bad |= parsed.refused
    return pa.table(found), bad


def _read(column: Column, raw: pa.ChunkedArray, where: str) -> Parsed:
    if pa.types.is_union(raw.type):
        return _read_each_kind(column, raw.combine_chunks(), where)
    try:
        parsed = read_values(column, raw, column.config.missing or ())
    except DataError as error:
        raise DataError(f"{where}: {error}") from error
    if (column.categories or column.loses_texts) and not is_text(raw.type):
        # What a data frame takes for numbers may have been 007 in the file. Of very many categories none is named.
        known = pc.is_in(parsed.values, pa.array(column.categories, pa.string())).to_numpy(zero_copy_only=False)
        other = ~known & parsed.values.is_valid().to_numpy(zero_copy_only=False)
        parsed = refused_where(parsed.values, parsed.refused | other)
    if column.nullable:
        return parsed
    # The model has never seen a missing value here, so it has not learned what to take for it.
    return replace(parsed, refused=parsed.refused | parsed.values.is_null().to_numpy(zero_copy_only=False))


def _read_each_kind(column: Column, raw: pa.UnionArray, where: str) -> Parsed:
    """Values of several kinds, such as texts and numbers, those of each as if they stood alone: 7.0 is the category 7,
    as where all are numbers. A kind that the column's type never takes is refused."""
    codes = raw.type_codes.to_numpy()
    places, parts = [], []
    for code in range(raw.type.num_fields):
        places.append(np.flatnonzero(codes == code))
        try:
            parts.append(_read(column, raw.field(code), where))
        except DataError:
            parts.append(all_refused(raw.field(code), column.storage))
    order = np.argsort(np.concatenate(places))
    values = pa.concat_arrays([part.values for part in parts]).take(pa.array(order))
    reasons = {int(place[i]): why for place, part in zip(places, parts, strict=True) for i, why in part.reasons.items()}
    return Parsed(values, np.concatenate([part.refused for part in parts])[order], reasons)
