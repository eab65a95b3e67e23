"""What is remarkable of how often values occur in the training rows: numbers that pile up at their greatest value, as
those do that a sensor or a person has cut off there, and categories of few rows, of which a model learns little."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.data.prepared import TARGET, open_parquet
from pipeline.data.remarks import MOST_ROWS
from pipeline.data.schema import Schema
from pipeline.data.types.type import shown
from pipeline.layout import TRAIN, split_file

LEAST_ROWS, LEAST_SHARE = 20, 0.001  # of the training rows that a pile has
LEAST_VALUES = 20  # of a number; of fewer, such as grades, the greatest may well be frequent
NEXT_VALUES, TIMES = 10, 3  # how many times as frequent as each of so many values below it the greatest one is
FEW_ROWS, MANY_ROWS = 10, 100  # of a category, and in how many training rows one is not rare by itself
MOST_NAMES = 10


def tell_frequencies(schema: Schema, folder: Path) -> None:
    """Print of which columns numbers pile up at the greatest one, and which have categories of few training rows."""
    with open_parquet(folder / split_file(TRAIN)) as file:
        numbers = {column.name: column.name for column in schema.features if pa.types.is_floating(column.storage)}
        if not schema.classes:
            numbers[TARGET] = schema.target
        for name, shown_name in numbers.items():
            if (pile := pile_of(file, name)) is not None:
                value, count = repr(pile[0]).removesuffix(".0"), pile[1]
                print(
                    f"{schema.dataset}: '{shown_name}' is {value}, its greatest value, in {count} of "
                    f"{file.metadata.num_rows} training rows, and much less often any value near it, as if larger ones "
                    "were cut off"
                )
        for column in schema.features:
            if column.categories and (told := rare_categories(file, column.name)):
                print(
                    f"{schema.dataset}: '{column.name}' has categories of fewer than {FEW_ROWS} training rows: {told}"
                )


def pile_of(file: pq.ParquetFile, name: str) -> tuple[float, int] | None:
    """The greatest number of a column, and in how many rows it is, if it is there far more often than what is near."""
    greatest, count = -float("inf"), 0
    for values in _parts(file, name):
        largest = pc.max(values).as_py()
        if largest is not None and largest >= greatest:
            here = pc.sum(pc.equal(values, largest)).as_py()
            greatest, count = largest, here + (count if largest == greatest else 0)
    if count < max(LEAST_ROWS, LEAST_SHARE * file.metadata.num_rows):
        return None
    counts = _largest(file, name)
    next_ones = [number for _, number in counts[1 : NEXT_VALUES + 1]]
    return (greatest, count) if len(counts) == LEAST_VALUES and count >= TIMES * max(next_ones) else None


def _largest(file: pq.ParquetFile, name: str) -> list[tuple[float, int]]:
    """The LEAST_VALUES largest numbers of a column, and in how many rows each is. One of them is among the largest of
    each part of the rows, too, so the others can be forgotten on the way."""
    found = Counter[float]()
    for values in _parts(file, name):
        for entry in pc.value_counts(values.drop_null()):
            found[entry["values"].as_py()] += entry["counts"].as_py()
        found = Counter({value: found[value] for value in sorted(found)[-LEAST_VALUES:]})
    return sorted(found.items(), reverse=True)


def rare_categories(file: pq.ParquetFile, name: str) -> str:
    """The categories of few rows and how many each has, in words; empty if there are none."""
    if file.metadata.num_rows < MANY_ROWS:
        return ""
    found = Counter[str]()
    for values in _parts(file, name):
        found.update(
            {entry["values"].as_py(): entry["counts"].as_py() for entry in pc.value_counts(values.drop_null())}
        )
    rare = [f"{shown(value)} {count}" for value, count in sorted(found.items()) if count < FEW_ROWS]
    return ", ".join(rare[:MOST_NAMES]) + (f", and {len(rare) - MOST_NAMES} more" if len(rare) > MOST_NAMES else "")


def _parts(file: pq.ParquetFile, name: str) -> Iterator[pa.Array]:
    return (part[name] for part in file.iter_batches(MOST_ROWS, columns=[name]))
