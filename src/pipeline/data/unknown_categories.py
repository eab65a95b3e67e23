"""Categories that no training row has, so that no model learns anything of them."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.data.digests import Digests
from pipeline.data.prepared import open_parquet
from pipeline.data.remarks import MOST_ROWS, some_of
from pipeline.data.schema import Column, Schema
from pipeline.errors import MOST_NAMES
from pipeline.layout import TEST, TRAIN, VALIDATION, split_file

MOST_CATEGORIES = 2**20  # that are compared, so that memory need not hold the many millions of values of an id


def tell_unknown_categories(schema: Schema, folder: Path) -> None:
    """Print which categories the rows for testing or validation have, and no training row has."""
    for column in schema.features:
        if column.config.type == "category" and schema.split != "none":
            _tell_of(column, schema.dataset, folder)


def _tell_of(column: Column, dataset: str, folder: Path) -> None:
    known = distinct_in(column, folder)
    if known is None:
        many = f"'{column.name}' has over {MOST_CATEGORIES:,} categories in the training rows, as ids do"
        print(f"{dataset}: {many}. Whether the other rows have more of them was not looked at.")
    elif new := unknown_categories(column, folder, known):
        print(f"{dataset}: '{column.name}' has categories in test or validation rows that no training row has: {new}")


def distinct_in(column: Column, folder: Path) -> Digests | None:
    """The digests of a column's categories in the training rows, each once; None if there are more than
    MOST_CATEGORIES."""
    known = np.empty(0, np.uint64)
    with open_parquet(folder / split_file(TRAIN)) as file:
        for part in file.iter_batches(MOST_ROWS, columns=[column.name]):
            known = np.union1d(known, column.type.digest(pc.unique(part[column.name]).drop_null()))
            if len(known) > MOST_CATEGORIES:
                return None
    return known


def unknown_categories(column: Column, folder: Path, known: Digests) -> str:
    """The categories of the rows for testing and validation whose digests are not `known`, in words; empty if there are
    none. In memory are the digests of all of them, and the names that the words tell."""
    new, names = np.empty(0, np.uint64), list[str]()
    for split in (VALIDATION, TEST):
        with open_parquet(folder / split_file(split)) as file:
            for part in file.iter_batches(MOST_ROWS, columns=[column.name]):
                values = pc.unique(part[column.name]).drop_null()
                digests = column.type.digest(values)
                fresh = ~np.isin(digests, known)
                new = np.union1d(new, digests[fresh])
                names = sorted({*names, *values.filter(pa.array(fresh)).to_pylist()})[:MOST_NAMES]
    return some_of(names, len(new))
