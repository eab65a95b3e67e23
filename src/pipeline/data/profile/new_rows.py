"""New rows that are compared with those for training (evaluation/drift.py)."""

from dataclasses import dataclass

import pyarrow as pa


@dataclass(frozen=True)
class Unusable:
    """How many of so many `values` are `missing`, and how many `refused` because they are none of their type. They are
    the values of a column, or, of a series, those of a `part` of it at each moment. So many in a row are `together`,
    and tell as much as one."""

    missing: int
    refused: int
    values: int
    part: str = ""
    together: int = 1


@dataclass(frozen=True)
class NewRows:
    """`table` has the features in the storage of their types. Values that are missing or refused are null in it, or
    left out; `unusable` counts them by column. Each row shares something with so many (`overlap`) as windows of a
    series do, itself included."""

    table: pa.Table
    unusable: dict[str, list[Unusable]]
    overlap: int = 1


def counted(table: pa.Table, refused: dict[str, int], overlap: int = 1) -> NewRows:
    """Rows in which missing and refused values are null; `refused` counts these by column."""
    unusable = {}
    for name in table.column_names:
        none = refused.get(name, 0)
        missing = table[name].null_count - none
        unusable[name] = [Unusable(missing, none, table.num_rows, together=overlap)]
    return NewRows(table, unusable, overlap)
