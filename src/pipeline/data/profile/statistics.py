"""statistics.json: what the training rows look like, column by column. The page shows it, and new rows are compared
with it (evaluation/drift.py)."""

import json
import math
import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.data.profile.measurements import measured_of, measures_contents
from pipeline.data.profile.seen import Seen, as_numbers, is_numeric
from pipeline.data.schema import Column
from pipeline.errors import DataError
from pipeline.files import write_json
from pipeline.layout import STATISTICS, TEST, TRAIN

QUANTILES = 256
MOST_CATEGORIES, MOST_WORDS = 1000, 5000
WORD = re.compile(r"\w+")


@dataclass
class ColumnStatistics:
    """`rows` training rows are behind it, of which `missing` have no value. `range` is of all of them.

    Of the sample: `quantiles` of numbers, of moments, and of the lengths of texts, QUANTILES + 1 of them with equal
    shares between them, or all `values` in order if they are fewer; how often each of the most frequent `categories`
    occurs; the most frequent `words` in texts, and which share of the words of a test row they are not, on average. Of
    images, recordings, sequences and series, `parts` has quantiles of each number that is measured, and `shares` says
    what they are made of (measured.py). `values` is how many values the sample has, and `apart` how many windows of
    series would be left if no two shared rows.

    Of the `test_values` values for testing, `test_new` are outside of the range or no category of the training rows.
    New rows of the same distribution have as many. There are none where the test rows are those for training.
    """

    name: str
    type: str
    rows: int
    missing: int
    values: int = 0
    distinct: int = 0
    range: tuple[float, float] | None = None
    quantiles: list[float] = field(default_factory=list)
    categories: dict[str, int] = field(default_factory=dict)
    words: list[str] = field(default_factory=list)
    unknown_words: float = 0.0
    shares: dict[str, dict[str, float]] = field(default_factory=dict)
    parts: dict[str, list[float]] = field(default_factory=dict)
    apart: int = 0
    test_values: int = 0
    test_new: int = 0


def statistics_of(seen: Seen) -> list[ColumnStatistics]:
    """The statistics of each column, of which the target is the last."""
    train, test = seen.splits[TRAIN], seen.splits[TEST]
    train_rows, test_rows = train.sample.rows(), test.sample.rows()
    found = []
    if not seen.held_out:
        test_rows = test_rows.slice(0, 0)
    for column in seen.columns:
        values, others = (rows[column.name].drop_null() for rows in (train_rows, test_rows))
        made = ColumnStatistics(column.name, column.config.type, train.rows, train.missing[column.name], len(values))
        if not pa.types.is_nested(column.storage) and not pa.types.is_binary(column.storage):
            made.distinct = len(pc.unique(values))
        made.range, made.test_values = train.ranges.get(column.name), len(others)
        SUMMARIES[kind_of(column)](column, made, values, others)
        found.append(made)
    return found


def kind_of(column: Column) -> str:
    """The entry of SUMMARIES, and of the measures of drift, that a column belongs to."""
    if is_numeric(column):
        return "number"
    if column.config.type == "text":
        return "text"
    if measures_contents(column):
        return "content"
    return "category" if pa.types.is_string(column.storage) or pa.types.is_boolean(column.storage) else "other"


def of_numbers(column: Column, found: ColumnStatistics, values: pa.ChunkedArray, others: pa.ChunkedArray) -> None:
    found.quantiles = quantiles(as_numbers(values).to_numpy())
    found.test_new = num_outside(found, as_numbers(others).to_numpy())


def of_categories(column: Column, found: ColumnStatistics, values: pa.ChunkedArray, others: pa.ChunkedArray) -> None:
    found.categories = dict(most_frequent(counts_of(values), MOST_CATEGORIES))
    found.test_new = num_unknown(found, counts_of(others))


def of_texts(column: Column, found: ColumnStatistics, values: pa.ChunkedArray, others: pa.ChunkedArray) -> None:
    found.quantiles = quantiles(lengths_of(values))
    words = Counter(word for text in values.to_pylist() for word in words_of(text))
    found.words = [word for word, _ in most_frequent(words, MOST_WORDS)]
    unknown = unknown_shares(others, found.words)
    found.unknown_words = float(unknown.mean()) if len(unknown) else 0.0


def of_contents(column: Column, found: ColumnStatistics, values: pa.ChunkedArray, others: pa.ChunkedArray) -> None:
    measured = measured_of(column, values)
    found.parts = {name: quantiles(numbers) for name, numbers in measured.numbers.items()}
    found.shares = measured.shares
    found.apart = min(found.values, -(-found.rows // measured.overlap))


def of_others(column: Column, found: ColumnStatistics, values: pa.ChunkedArray, others: pa.ChunkedArray) -> None:
    """Nothing is known of values of another type but how many are missing."""


SUMMARIES: dict[str, Callable[[Column, ColumnStatistics, pa.ChunkedArray, pa.ChunkedArray], None]] = {
    "number": of_numbers,
    "category": of_categories,
    "text": of_texts,
    "content": of_contents,
    "other": of_others,
}


def quantiles(values: NDArray[Any]) -> list[float]:
    """The values at equal shares of the order (the inverse of the empirical distribution), the ends included."""
    ordered = np.sort(values.astype(np.float64))
    if len(ordered) > QUANTILES + 1:
        ordered = ordered[np.linspace(0, len(ordered) - 1, QUANTILES + 1).round().astype(int)]
    return [float(value) for value in ordered]


def counts_of(values: pa.ChunkedArray) -> Counter[str]:
    counted = pc.value_counts(values.cast(pa.string()).combine_chunks())
    pairs = zip(counted.field("values").to_pylist(), counted.field("counts").to_pylist(), strict=True)
    return Counter(dict(pairs))


def most_frequent(counts: Counter[str], most: int) -> list[tuple[str, int]]:
    """The most frequent ones, of which equally frequent ones are in the order of the alphabet."""
    return sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))[:most]


def lengths_of(texts: pa.ChunkedArray) -> NDArray[np.int64]:
    """How many characters each text (N,) has."""
    lengths: NDArray[np.int64] = pc.utf8_length(texts).to_numpy().astype(np.int64)
    return lengths


def num_outside(known: ColumnStatistics, values: NDArray[np.float64]) -> int:
    """How many values (N,) are outside of the range of the training rows; all where these have no value."""
    least, greatest = known.range or (math.inf, -math.inf)
    return int(((values < least) | (values > greatest)).sum())


def num_unknown(known: ColumnStatistics, counts: Counter[str]) -> int:
    """How many values are none of the categories of the training rows."""
    return sum(count for name, count in counts.items() if name not in known.categories)


def words_of(text: str) -> list[str]:
    return WORD.findall(text.lower())


def unknown_shares(texts: pa.ChunkedArray, known: Iterable[str]) -> NDArray[np.float64]:
    """Which share of the words of each text (N,) is not among the known ones; 0 for a text without words."""
    vocabulary = set(known)
    of_each = (words_of(text) for text in texts.to_pylist())
    return np.array([sum(word not in vocabulary for word in words) / max(1, len(words)) for words in of_each])


def write_statistics(path: Path, columns: list[ColumnStatistics]) -> None:
    write_json(path, {"columns": [asdict(column) for column in columns]})


def read_statistics(folder: Path, remedy: str) -> list[ColumnStatistics]:
    """The statistics in a folder, of which the target's are the last. Raises DataError, which ends with the `remedy`,
    where they are missing or damaged."""
    path = folder / STATISTICS
    try:
        columns = json.loads(path.read_text(encoding="utf-8"))["columns"]
        if lacking := {entry.name for entry in fields(ColumnStatistics)}.difference(*columns):
            raise ValueError(f"no {', '.join(sorted(lacking))}")
        return [ColumnStatistics(**column) for column in columns]
    except FileNotFoundError as error:
        raise DataError(f"{path}: not found. {remedy}") from error
    except (ValueError, TypeError, KeyError) as error:
        raise DataError(f"{path}: not statistics of this version ({error}). {remedy}") from error


def check_fits(folder: Path, known: list[ColumnStatistics], features: list[Column], remedy: str) -> None:
    """Raise DataError, which ends with the `remedy`, unless the statistics in a folder are of these features and of a
    target."""
    found = [(column.name, column.type) for column in known[:-1]]
    expected = [(column.name, column.config.type) for column in features]
    if found != expected:
        raise DataError(f"{folder / STATISTICS}: not of the columns that the prepared rows have. {remedy}")
    for column, one in zip(features, known, strict=False):
        if kind_of(column) == "content" and one.values and not (one.parts or one.shares):
            raise DataError(f"{folder / STATISTICS}: of '{one.name}', nothing was measured by then. {remedy}")
