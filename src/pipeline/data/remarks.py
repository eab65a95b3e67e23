"""What a person should know of the columns of prepared data: those that tell nothing, and those that tell too much."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.config import DatasetConfig
from pipeline.data.prepared import TARGET, read_table
from pipeline.data.schema import Column, Schema
from pipeline.errors import DataError
from pipeline.layout import TEST, TRAIN, VALIDATION, split_file

# With fewer rows, a column may determine the target by chance.
LEAST_ROWS = 20


def check_columns(dataset: DatasetConfig, schema: Schema, folder: Path) -> None:
    """Print which columns are constant in the training rows, and which categories occur in the test rows alone. Raises
    DataError for columns that determine the target, unless `dataset.leakage` is `accept`."""
    constant, leaks = [], []
    for column in schema.features:
        if pa.types.is_nested(column.storage):
            continue
        table = read_table(folder / split_file(TRAIN), [column.name, TARGET])
        values = table[column.name].combine_chunks()
        if pc.count_distinct(values, mode="all").as_py() == 1:
            constant.append(column.name)
        elif determines(values, table[TARGET].combine_chunks()):
            leaks.append(column.name)
        if column.config.type == "category" and schema.split != "none" and (new := only_in_test(column, folder)):
            print(f"{schema.dataset}: '{column.name}' has categories in the test rows that no model learns: {new}")
    if constant:
        print(
            f"{schema.dataset}: constant in the training rows, so that no model learns from it: {', '.join(constant)}"
        )
    if leaks and dataset.leakage == "refuse":
        raise DataError(
            f"dataset {schema.dataset}: each value of {', '.join(repr(name) for name in leaks)} has one value of "
            f"'{schema.target}' only, as if it were made from it. Leave it out, or set leakage: accept."
        )


def determines(values: pa.Array, target: pa.Array) -> bool:
    """Whether every value has a single target. A column whose values hardly repeat tells nothing about that, and
    neither do few rows."""
    encoded, answers = (array.dictionary_encode(null_encoding="encode") for array in (values, target))
    distinct, of_target = len(encoded.dictionary), len(answers.dictionary)
    if len(values) < LEAST_ROWS or distinct > len(values) / 2 or of_target < 2:
        return False
    codes = encoded.indices.to_numpy().astype(np.int64) * of_target + answers.indices.to_numpy()
    return len(np.unique(codes)) == distinct


def only_in_test(column: Column, folder: Path) -> str:
    """The categories that the test rows have, and the others have not, in words; empty if there are none."""
    test, *others = (
        set(pc.unique(read_table(folder / split_file(split), [column.name])[column.name]).to_pylist()) - {None}
        for split in (TEST, TRAIN, VALIDATION)
    )
    return ", ".join(sorted(test.difference(*others)))
