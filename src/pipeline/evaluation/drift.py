"""How new rows differ from the training rows of a dataset: effect sizes between 0 and 1, each with an interval.

They are effect sizes and no p-values, because any difference gets a small p-value with enough rows. The intervals hold
for all measures together with the asked confidence (Bonferroni): each of m measures may be wrong with probability
(1 - confidence) / m, one half of it, delta, for either sample. The true value of a sample of n lies

- of a share of rows, in the interval of Clopper and Pearson (1934);
- of an empirical distribution, everywhere within r(n) = sqrt(ln(2 / delta) / (2 n)) of it (Dvoretzky, Kiefer and
  Wolfowitz 1956, with the constant of Massart 1990), and so does that of a mean of values from 0 to 1 (Hoeffding 1963);
- of the frequencies of k categories, in total variation within sqrt((k - 1) / n) / 2 + r(n) of them (the mean by Cauchy
  and Schwarz, what is beyond it by McDiarmid 1989).

Where rows hang together (data/related.py), n is not the number of rows, but that divided by how many rows are together,
as if these were alike.

The interval of a difference has what both samples allow on either side. Rows of the same distribution, too, have some
values that no training row has; so the share of these is compared with that of the test rows.
"""

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.data.profile.seen import as_numbers
from pipeline.data.profile.statistics import (
    QUANTILES,
    ColumnStatistics,
    counts_of,
    kind_of,
    lengths_of,
    num_outside,
    num_unknown,
    unknown_shares,
)
from pipeline.data.schema import Column

LEAST_ROWS = 30  # new values; with fewer, nothing short of another world could be told
MOST_CATEGORIES = 20  # that are compared one by one, and all others as one
DRIFT, NONE, UNCLEAR, TOO_FEW = "drift", "no drift", "unclear", "too few rows"


@dataclass(frozen=True)
class Distance:
    """A distance before its interval is known: between `trained` and `new` values, of so many `categories` less one if
    it is one of frequencies, with a slack that is added to both r(n). The true one may be any greater one if this is
    but its `least`."""

    value: float
    trained: int
    new: int
    categories: int = 0
    slack: float = 0.0
    least: bool = False

    def interval(self, delta: float, together: float) -> tuple[float, float]:
        if not self.trained or not self.new:
            return 0.0, 1.0
        sizes = self.trained / together, self.new / together
        radius = self.slack
        for size in sizes:
            radius += math.sqrt(math.log(2 / delta) / (2 * size)) + math.sqrt(self.categories / size) / 2
        return self.value - radius, 1.0 if self.least else self.value + radius


@dataclass(frozen=True)
class Share:
    """The difference of the share of `count` among `new` rows from that of `before` among `trained` rows; without
    trained rows, from 0."""

    count: int
    new: int
    before: int = 0
    trained: int = 0

    @property
    def value(self) -> float:
        return abs(self.count / max(1, self.new) - self.before / max(1, self.trained))

    def interval(self, delta: float, together: float) -> tuple[float, float]:
        low, high = clopper_pearson(self.count / together, self.new / together, delta)
        before = self.before / together, self.trained / together
        least, most = clopper_pearson(*before, delta) if self.trained else (0.0, 0.0)
        low, high = low - most, high - least
        return max(low, -high), max(high, -low)


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
    rows: pa.Table,
    refused: dict[str, int],
    threshold: float,
    confidence: float,
    together: float = 1.0,
) -> list[Measure]:
    """All measures of new rows, those with the highest lower ends first. `known` are the statistics of the columns in
    their order; `refused` is how many values of a column are none of its type, which are null in `rows`. So many rows
    are `together` that are not independent of one another.

    A measure is `drift` if its interval lies beyond the threshold.
    """
    found = [
        (column.name, what, measured)
        for column, statistics in zip(columns, known, strict=True)
        for what, measured in measures_of(column, statistics, rows[column.name], refused.get(column.name, 0))
    ]
    delta = (1 - confidence) / max(1, len(found)) / 2
    made = [judged(*measured, threshold, delta, together) for measured in found]
    return sorted(made, key=lambda entry: (-entry.low, -entry.value, entry.column, entry.what))


def measures_of(column: Column, known: ColumnStatistics, values: pa.ChunkedArray, refused: int) -> Found:
    """What is measured of a column: of all types the missing and the refused values, and the rest by its kind."""
    there = values.drop_null()
    found: Found = [
        ("missing", Share(values.null_count - refused, len(values), known.missing, known.rows)),
        ("none of its type", Share(refused, len(values))),
    ]
    return found + MEASURES[kind_of(column)](known, there)


def of_numbers(known: ColumnStatistics, values: pa.ChunkedArray) -> Found:
    numbers = as_numbers(values).to_numpy()
    found: Found = [("values", distance(known, numbers))]
    if known.test_values:
        outside = Share(num_outside(known, numbers), len(numbers), known.test_new, known.test_values)
        found.append(("outside of the range", outside))
    return found


def of_categories(known: ColumnStatistics, values: pa.ChunkedArray) -> Found:
    counts = counts_of(values)
    measured = total_variation(known, counts)
    found: Found = [("values (rare ones as one)" if measured.least else "values", measured)]
    # not where some of very many categories were left out
    if known.test_values and sum(known.categories.values()) == known.values:
        unknown = Share(num_unknown(known, counts), len(values), known.test_new, known.test_values)
        found.append(("unknown categories", unknown))
    return found


def of_texts(known: ColumnStatistics, values: pa.ChunkedArray) -> Found:
    shares = unknown_shares(values, known.words)
    more = abs(shares.mean() - known.unknown_words) if len(shares) else 0.0
    return [
        ("lengths", distance(known, lengths_of(values).astype(np.float64))),
        ("unknown words", Distance(float(more), known.test_values, len(values))),
    ]


MEASURES: dict[str, Callable[[ColumnStatistics, pa.ChunkedArray], Found]] = {
    "number": of_numbers,
    "category": of_categories,
    "text": of_texts,
    "other": lambda known, values: [],
}


def distance(known: ColumnStatistics, values: NDArray[np.float64]) -> Distance:
    """The Kolmogorov-Smirnov distance between the training values and new ones (N,): the greatest difference of their
    empirical distributions. Where quantiles stand for all training values, they may change it a little."""
    trained = np.array(known.quantiles)
    slack = 1 / QUANTILES if known.values > len(trained) else 0.0
    if not len(trained) or not len(values):
        return Distance(0.0, known.values, len(values))
    places = np.concatenate([trained, values])
    one, other = (np.searchsorted(np.sort(sample), places, "right") / len(sample) for sample in (trained, values))
    return Distance(float(np.abs(one - other).max()), known.values, len(values), slack=slack)


def total_variation(known: ColumnStatistics, counts: Counter[str]) -> Distance:
    """Half the sum of the differences of all shares, of the most frequent training categories and of all others
    together. Of all categories one by one it is no less, so where several are taken together it says nothing of how
    small the distance is."""
    names = list(known.categories)[:MOST_CATEGORIES]
    trained, new = known.values, counts.total()
    if not trained or not new:
        return Distance(0.0, trained, new)
    differences = [known.categories[name] / trained - counts[name] / new for name in names]
    value = (sum(map(abs, differences)) + abs(sum(differences))) / 2
    return Distance(value, trained, new, len(names), least=sum(known.categories[name] for name in names) < trained)


def clopper_pearson(count: float, size: float, delta: float) -> tuple[float, float]:
    """The interval of a share of which `count` of `size` were seen; it is wrong with probability delta at most."""
    from scipy.special import betaincinv

    low = float(betaincinv(count, size - count + 1, delta / 2)) if count else 0.0
    high = float(betaincinv(count + 1, size - count, 1 - delta / 2)) if count < size else 1.0
    return low, high


def judged(
    column: str, what: str, measured: Distance | Share, threshold: float, delta: float, together: float
) -> Measure:
    """A measure with its interval and verdict."""
    low, high = measured.interval(delta, together)
    low, high = max(0.0, low), min(1.0, high)
    verdict = DRIFT if low > threshold else NONE if high <= threshold else UNCLEAR
    if measured.new < LEAST_ROWS * together:
        verdict = TOO_FEW
    return Measure(column, what, measured.value, low, high, measured.new, verdict)
