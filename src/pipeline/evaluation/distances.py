"""Differences of two samples, as effect sizes between 0 and 1, and intervals around them.

They are effect sizes and no p-values, because any difference gets a small p-value with enough rows. Each may be wrong
with probability delta for either sample. The true value of a sample of n lies

- of a share of rows, in the interval of Clopper and Pearson (1934);
- of an empirical distribution, everywhere within r(n) = sqrt(ln(2 / delta) / (2 n)) of it (Dvoretzky, Kiefer and
  Wolfowitz 1956, with the constant of Massart 1990), and so does that of a mean of values from 0 to 1 (Hoeffding 1963);
- of the frequencies of k categories, in total variation within sqrt((k - 1) / n) / 2 + r(n) of them (the mean by Cauchy
  and Schwarz, what is beyond it by McDiarmid 1989). It is the same for the means of k shares of each row that make up
  1, whose variance is no greater.

Where rows hang together (data/related.py), n is not the number of rows, but that divided by how many rows are together,
as if these were alike. The interval of a difference has what both samples allow on either side.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Distance:
    """A distance before its interval is known: between `trained` and `new` values, of so many `categories` less one if
    it is one of frequencies, with a slack that is added to both r(n). The true one may be any greater one if this is
    but its `least`. So many new values are `alike`, and count as one."""

    value: float
    trained: int
    new: int
    categories: int = 0
    slack: float = 0.0
    least: bool = False
    alike: int = 1

    def interval(self, delta: float, together: float = 1.0) -> tuple[float, float]:
        if not self.trained or not self.new:
            return 0.0, 1.0
        sizes = self.trained / together, self.new / (together * self.alike)
        radius = self.slack
        for size in sizes:
            radius += math.sqrt(math.log(2 / delta) / (2 * size)) + math.sqrt(self.categories / size) / 2
        return self.value - radius, 1.0 if self.least else self.value + radius


@dataclass(frozen=True)
class Share:
    """The difference of the share of `count` among `new` rows from that of `before` among `trained` rows; without
    trained rows, from 0. So many new rows are `alike`, and count as one."""

    count: int
    new: int
    before: int = 0
    trained: int = 0
    alike: int = 1

    @property
    def value(self) -> float:
        return abs(self.count / max(1, self.new) - self.before / max(1, self.trained))

    def interval(self, delta: float, together: float = 1.0) -> tuple[float, float]:
        ones = together * self.alike
        low, high = clopper_pearson(self.count / ones, self.new / ones, delta)
        before = self.before / together, self.trained / together
        least, most = clopper_pearson(*before, delta) if self.trained else (0.0, 0.0)
        low, high = low - most, high - least
        return max(low, -high), max(high, -low)


def distance(quantiles: list[float], trained: int, values: NDArray[np.float64]) -> Distance:
    """The Kolmogorov-Smirnov distance between so many training values and new ones (N,): the greatest difference of
    their empirical distributions. Where `quantiles` stand for all training values, they may change it a little."""
    known = np.array(quantiles)
    slack = 1 / (len(known) - 1) if trained > len(known) > 1 else 0.0
    if not len(known) or not len(values):
        return Distance(0.0, trained, len(values))
    places = np.concatenate([known, values])
    one, other = (np.searchsorted(np.sort(sample), places, "right") / len(sample) for sample in (known, values))
    return Distance(float(np.abs(one - other).max()), trained, len(values), slack=slack)


def total_variation(
    before: Mapping[str, float], after: Mapping[str, float], trained: int, new: int, least: bool = False
) -> Distance:
    """Half the sum of the differences of all shares: of those that are named, and of all others together, which make up
    the rest of 1. If there are several others, it is but the `least` that the distance may be."""
    if not trained or not new:
        return Distance(0.0, trained, new)
    differences = [share - after.get(name, 0.0) for name, share in before.items()]
    value = (sum(map(abs, differences)) + abs(sum(differences))) / 2
    return Distance(value, trained, new, len(before), least=least)


def clopper_pearson(count: float, size: float, delta: float) -> tuple[float, float]:
    """The interval of a share of which `count` of `size` were seen; it is wrong with probability delta at most."""
    from scipy.special import betaincinv

    low = float(betaincinv(count, size - count + 1, delta / 2)) if count else 0.0
    high = float(betaincinv(count + 1, size - count, 1 - delta / 2)) if count < size else 1.0
    return low, high
