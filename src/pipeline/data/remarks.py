"""What a person should know of the columns of prepared data: those that tell nothing, and those that tell too much."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pipeline.config import DatasetConfig
from pipeline.data.batches import digests_of
from pipeline.data.copies import is_copy
from pipeline.data.digest_file import DigestFile, num_distinct
from pipeline.data.digests import combined
from pipeline.data.prepared import TARGET, open_parquet
from pipeline.data.schema import Column, Schema
from pipeline.errors import MOST_NAMES, DataError
from pipeline.layout import TRAIN, split_file

# With fewer rows, a column may determine the target by chance.
LEAST_ROWS = 20
MOST_REPEATED = 20  # times that a row is taken for a repetition of another one
MOST_ROWS = 65_536  # of a column that are looked at at a time


def check_columns(
    dataset: DatasetConfig, schema: Schema, target: Column, folder: Path, between: Path, alone: float = 1.0
) -> None:
    """Print which columns are constant in the training rows. Raises DataError for columns that determine the target or
    are a copy of it, unless `dataset.leakage` is `accept`. Digests of a column's values may be kept in the folder
    `between`. `alone` is the share of the rows that are no repetition of others (`Collected.share_alone`)."""
    constant, leaks, copies = [], [], []
    with open_parquet(folder / split_file(TRAIN)) as file:
        answer = replace(target, name=TARGET)
        for column in schema.features:
            if column.type.is_content:
                continue
            if is_constant(file, column):
                constant.append(column.name)
            elif column_determines(file, column, answer, between, alone):
                leaks.append(column.name)
            elif column.storage == target.storage == pa.float64() and is_copy(beside_target(file, column)):
                copies.append(column.name)
    if constant:
        print(
            f"{schema.dataset}: constant in the training rows, so that no model learns from it: {', '.join(constant)}"
        )
    if dataset.leakage == "refuse":
        refuse_leaks(schema, leaks, copies)


def refuse_leaks(schema: Schema, leaks: list[str], copies: list[str]) -> None:
    """Raise DataError for columns that determine the target, and for those that are copies of it, if there are any."""
    told = []
    if leaks:
        told.append(f"each value of {quoted(leaks, ', ')} has one value of '{schema.target}' only")
    if copies:
        told.append(f"'{schema.target}' is a factor times {quoted(copies, ' or ')} plus a constant, but for rounding")
    if told:
        raise DataError(
            f"dataset {schema.dataset}: {', and '.join(told)}, as if it were made from it. Leave it out, or set "
            "leakage: accept."
        )


def quoted(names: list[str], between: str) -> str:
    return between.join(repr(name) for name in names)


def beside_target(file: pq.ParquetFile, column: Column) -> Iterator[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """The numbers of a column and of the target in the rows of a file, in parts (N,); NaN for a missing one."""
    for part in file.iter_batches(MOST_ROWS, columns=[column.name, TARGET]):
        yield part[column.name].to_numpy(zero_copy_only=False), part[TARGET].to_numpy()


def is_constant(file: pq.ParquetFile, column: Column) -> bool:
    """Whether a column has the same value in all rows of a file, or none in all of them."""
    digests = (digests_of(column, part[column.name]) for part in file.iter_batches(MOST_ROWS, columns=[column.name]))
    first = next(digests)
    return all((part == first[0]).all() for part in chain([first], digests))


def column_determines(file: pq.ParquetFile, column: Column, target: Column, between: Path, alone: float = 1.0) -> bool:
    """Whether every value of a column has a single target in the rows of a file. Of these, the share `alone` are no
    repetition of others.

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
    return tells(num_rows, alone, values.num_distinct(), answered.num_distinct()) and not is_constant(file, target)


def determines(values: pa.Array, target: pa.Array, alone: float = 1.0) -> bool:
    """Whether every value (N,) has a single target. The share `alone` of the rows are no repetition of others."""
    encoded, answers = (array.dictionary_encode(null_encoding="encode") for array in (values, target))
    codes = encoded.indices.to_numpy().astype(np.int64) * len(answers.dictionary) + answers.indices.to_numpy()
    return tells(len(values), alone, len(encoded.dictionary), len(np.unique(codes))) and len(answers.dictionary) > 1


def tells(num_rows: int, alone: float, num_values: int, num_pairs: int) -> bool:
    """Whether so many pairs of a value and its target mean that the value determines the target. A column whose values
    hardly repeat tells nothing about that, and neither do few rows.

    Where each row stands twice, so does each value, with the same target. So rows count by the share of them that are
    `alone`. It is limited, since rows of a few categories have to be equal often.
    """
    num_alone = num_rows * max(alone, 1 / MOST_REPEATED)
    return num_rows >= LEAST_ROWS and num_values <= num_alone / 2 and num_pairs == num_values


def some_of(names: list[str], count: int | None = None) -> str:
    """The first names in words, and how many more there are, of `count` in all; of all that are given if it is None."""
    more = (len(names) if count is None else count) - MOST_NAMES
    return ", ".join(names[:MOST_NAMES]) + (f", and {more} more" if more > 0 else "")
