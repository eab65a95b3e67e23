"""What a person should know of the columns of prepared data: those that tell nothing, and those that tell too much."""

from dataclasses import replace
from itertools import chain
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.config import DatasetConfig
from pipeline.data.batches import digests_of
from pipeline.data.digest_file import DigestFile, num_distinct
from pipeline.data.digests import combined
from pipeline.data.prepared import TARGET, open_parquet
from pipeline.data.schema import Column, Schema
from pipeline.errors import DataError
from pipeline.layout import SPLITS, TEST, TRAIN, VALIDATION, split_file

# With fewer rows, a column may determine the target by chance.
LEAST_ROWS = 20
MOST_NAMES = 50  # that one line tells
MOST_ROWS = 65_536  # of a column that are looked at at a time


def check_columns(dataset: DatasetConfig, schema: Schema, target: Column, folder: Path, between: Path) -> None:
    """Print which columns are constant in the training rows, and which categories occur in the test rows alone. Raises
    DataError for columns that determine the target, unless `dataset.leakage` is `accept`. Digests of a column's values
    may be kept in the folder `between`."""
    constant, leaks = [], []
    with open_parquet(folder / split_file(TRAIN)) as file:
        answer = replace(target, name=TARGET)
        for column in schema.features:
            if column.type.is_content:
                continue
            if is_constant(file, column):
                constant.append(column.name)
            elif column_determines(file, column, answer, between):
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


def is_constant(file: pq.ParquetFile, column: Column) -> bool:
    """Whether a column has the same value in all rows of a file, or none in all of them."""
    digests = (digests_of(column, part[column.name]) for part in file.iter_batches(MOST_ROWS, columns=[column.name]))
    first = next(digests)
    return all((part == first[0]).all() for part in chain([first], digests))


def column_determines(file: pq.ParquetFile, column: Column, target: Column, between: Path) -> bool:
    """Whether every value of a column has a single target in the rows of a file.

    The first rows tell it of most columns whose values repeat. Of most others, whose values hardly repeat, a part of
    the rows tells that: a value marks one place of many, so there are at least as many values as marked places.
    """
    num_rows, done = file.metadata.num_rows, 0
    marked = np.zeros(2 ** num_rows.bit_length(), bool)
    values, answered = DigestFile(between / "values"), DigestFile(between / "answered values")
    for part in file.iter_batches(MOST_ROWS, columns=[column.name, target.name]):
        digests = digests_of(column, part[column.name])
        both = combined([digests, digests_of(target, part[target.name])])
        if not done and num_distinct(np.sort(both)) > num_distinct(np.sort(digests)):
            return False
        marked[digests & np.uint64(len(marked) - 1)] = True
        done += len(digests)
        if done > num_rows / 2 and np.count_nonzero(marked) > num_rows / 2:
            return False
        values.append(digests)
        answered.append(both)
    return tells(num_rows, values.num_distinct(), answered.num_distinct()) and not is_constant(file, target)


def determines(values: pa.Array, target: pa.Array) -> bool:
    """Whether every value (N,) has a single target."""
    encoded, answers = (array.dictionary_encode(null_encoding="encode") for array in (values, target))
    codes = encoded.indices.to_numpy().astype(np.int64) * len(answers.dictionary) + answers.indices.to_numpy()
    return tells(len(values), len(encoded.dictionary), len(np.unique(codes))) and len(answers.dictionary) > 1


def tells(num_rows: int, num_values: int, num_pairs: int) -> bool:
    """Whether so many pairs of a value and its target mean that the value determines the target. A column whose values
    hardly repeat tells nothing about that, and neither do few rows."""
    return num_rows >= LEAST_ROWS and num_values <= num_rows / 2 and num_pairs == num_values


def only_in_test(column: Column, folder: Path) -> str:
    """The categories that the test rows have, and the others have not, in words; empty if there are none."""
    found: dict[str, set[str]] = {}
    for split in SPLITS:
        with open_parquet(folder / split_file(split)) as file:
            parts = file.iter_batches(MOST_ROWS, columns=[column.name])
            found[split] = set().union(*(pc.unique(part[column.name]).to_pylist() for part in parts)) - {None}
    return some_of(sorted(found[TEST] - found[TRAIN] - found[VALIDATION]))


def some_of(names: list[str]) -> str:
    """The first names in words, and how many more there are."""
    more = len(names) - MOST_NAMES
    return ", ".join(names[:MOST_NAMES]) + (f", and {more} more" if more > 0 else "")
