"""How new rows differ from the training rows of a dataset, column by column, with intervals (distances.py).

The intervals hold for all measures together with the asked confidence (Bonferroni): each of m measures may be wrong
with probability (1 - confidence) / m, one half of it for either sample.

Rows of the same distribution, too, have some values that no training row has; so the share of these is compared with
that of the test rows. Windows of series that share rows are no independent sample. New ones are cut so that they share
none, and training windows, and new ones that come as windows, count as if they did not.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from pipeline.data.profile.measurements import measured_of
from pipeline.data.profile.new_rows import NewRows
from pipeline.data.profile.seen import as_numbers
from pipeline.data.profile.statistics import (
    ColumnStatistics,
    counts_of,
    kind_of,
    lengths_of,
    num_outside,
    num_unknown,
    unknown_shares,
)
from pipeline.data.related import Related, rows_together
from pipeline.data.schema import Column
from pipeline.data.types.series import SeriesColumn
from pipeline.evaluation.distances import Distance, Share, distance, total_variation

LEAST_ROWS = 30  # new values; with fewer, nothing short of another world could be told
MOST_CATEGORIES = 20  # that are compared one by one, and all others as one
DRIFT, NONE, UNCLEAR, TOO_FEW = "drift", "no drift", "unclear", "too few rows"


Found = list[tuple[str, Distance | Share]]


@dataclass(frozen=True)
class Measure:
    """`value` lies from 0 (no difference) to 1, and the true one from `low` to `high`."""

    column: str
    what: str
    value: float
    low: float
    high: float
    rows: int
    verdict: str


def compare(
    columns: list[Column],
    known: list[ColumnStatistics],
    new: NewRows,
    threshold: float,
    confidence: float,
    together: float = 1.0,
) -> list[Measure]:
    """All measures of new rows, those with the highest lower ends first. `known` are the statistics of the columns in
    their order. So many rows are `together` that are not independent of one another.

    A measure is `drift` if its interval lies beyond the threshold.
    """
    found = [
        (column.name, what, measured)
        for column, statistics in zip(columns, known, strict=True)
        for what, measured in measures_of(column, statistics, new)
    ]
    delta = (1 - confidence) / max(1, len(found)) / 2
    made = [judged(*measured, threshold, delta, together) for measured in found]
    return sorted(made, key=lambda entry: (-entry.low, -entry.value, entry.column, entry.what))


def together_of(columns: list[Column], related: Related | None) -> float:
    """How many new rows count as one, by how the test rows hang together. Windows are cut or counted so that they share
    no rows, whatever the test windows do."""
    windows = any(isinstance(column.config, SeriesColumn) and column.config.cut for column in columns)
    return 1.0 if windows else rows_together(related)


def measures_of(column: Column, known: ColumnStatistics, new: NewRows) -> Found:
    """What is measured of a column: of all types the missing and the refused values, and the rest by its kind."""
    found: Found = []
    for part in new.unusable[column.name]:
        where = f" in {part.part}" if part.part else ""
        # no window for training lacks a value
        before = (0, 0) if part.part else (known.missing, known.rows)
        found += [
            (f"missing{where}", Share(part.missing, part.values, *before, alike=part.together)),
            (f"none of its type{where}", Share(part.refused, part.values, alike=part.together)),
        ]
    measured = MEASURES[kind_of(column)](column, known, new.table[column.name].drop_null())
    return found + [(what, replace(one, alike=new.overlap)) for what, one in measured]


def of_numbers(column: Column, known: ColumnStatistics, values: pa.ChunkedArray) -> Found:
    numbers = as_numbers(values).to_numpy()
    found: Found = [("values", distance(known.quantiles, known.values, numbers))]
    if known.test_values:
        outside = Share(num_outside(known, numbers), len(numbers), known.test_new, known.test_values)
        found.append(("outside of the range", outside))
    return found


def of_categories(column: Column, known: ColumnStatistics, values: pa.ChunkedArray) -> Found:
    counts = counts_of(values)
    names = list(known.categories)[:MOST_CATEGORIES]
    trained, new = known.values, counts.total()
    before = {name: known.categories[name] / max(1, trained) for name in names}
    after = {name: counts[name] / max(1, new) for name in names}
    least = sum(known.categories[name] for name in names) < trained
    measured = total_variation(before, after, trained, new, least)
    found: Found = [("values (rare ones as one)" if measured.least else "values", measured)]
    # not where some of very many categories were left out
    if known.test_values and sum(known.categories.values()) == known.values:
        unknown = Share(num_unknown(known, counts), len(values), known.test_new, known.test_values)
        found.append(("unknown categories", unknown))
    return found


def of_texts(column: Column, known: ColumnStatistics, values: pa.ChunkedArray) -> Found:
    shares = unknown_shares(values, known.words)
    more = abs(shares.mean() - known.unknown_words) if len(shares) else 0.0
    return [
        ("lengths", distance(known.quantiles, known.values, lengths_of(values).astype(np.float64))),
        ("unknown words", Distance(float(more), known.test_values, len(values))),
    ]


def of_contents(column: Column, known: ColumnStatistics, values: pa.ChunkedArray) -> Found:
    new = measured_of(column, values)
    numbers: Found = [
        (name, replace(distance(quantiles, known.values, new.numbers[name]), trained=known.apart))
        for name, quantiles in known.parts.items()
    ]
    return numbers + [
        (name, total_variation(shares, new.shares[name], known.apart, len(values)))
        for name, shares in known.shares.items()
    ]


MEASURES: dict[str, Callable[[Column, ColumnStatistics, pa.ChunkedArray], Found]] = {
    "number": of_numbers,
    "category": of_categories,
    "text": of_texts,
    "content": of_contents,
    "other": lambda column, known, values: [],
}


def judged(
    column: str, what: str, measured: Distance | Share, threshold: float, delta: float, together: float
) -> Measure:
    """A measure with its interval and verdict."""
    low, high = measured.interval(delta, together)
    low, high = max(0.0, low), min(1.0, high)
    verdict = DRIFT if low > threshold else NONE if high <= threshold else UNCLEAR
    if measured.new < LEAST_ROWS * together * measured.alike:
        verdict = TOO_FEW
    return Measure(column, what, measured.value, low, high, measured.new, verdict)
