"""Number columns that are copies of a target of numbers: equal to it, or a straight line of it, as a price in another
currency is.

Honest data must not be taken for that, however well they tell the target. So the line has to meet every row, and not
most of them on average: within the rounding of float64, or within the last digit that the values are written with, if
that is fine beside the target's spread. A correlation would not do, as a single value that is far out makes one of 1.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

LEAST_VALUES = 20  # fewer different values may lie on a line by chance
ROUNDING = 1e-9  # of a number that was computed, beside its size
EXACT = 1e-14  # of the line's intercept, beside the means of which it is computed
COARSE = 1e-3  # of the target's spread; last digits beyond it could hide that a row is not on the line
MOST_DECIMALS = 6
LEAST_R2 = 0.9  # with less, points are so far from a line that no closer look at them is needed


@dataclass(frozen=True)
class Line:
    """y = slope x + intercept, up to `within`."""

    slope: float
    intercept: float
    within: float

    def meets(self, x: Array, y: Array) -> bool:
        """Whether all points (N,) lie on the line."""
        return bool((np.abs(self.slope * x + self.intercept - y) <= self.within + ROUNDING * self.sizes(x, y)).all())

    def sizes(self, x: Array, y: Array) -> Array:
        """How large the numbers are of which a point's distance is computed."""
        sizes: Array = np.abs(self.slope * x) + abs(self.intercept) + np.abs(y)
        return sizes


def is_copy(parts: Iterable[tuple[Array, Array]]) -> bool:
    """Whether one line meets all rows of a column and of the target, which are given in parts (N,); NaN is a missing
    value. The first part says which line, so most columns need no second one."""
    line: Line | None = None
    for values, target in parts:
        known = ~np.isnan(values)
        x, y = values[known], target[known]
        line = line or line_through(x, y)
        if line is None or not line.meets(x, y):
            return False
    return line is not None


def line_through(x: Array, y: Array) -> Line | None:
    """The line of least squares; None where the points (N,) are too few or too coarse to tell of one."""
    if len(x) < LEAST_VALUES:
        return None
    (dx, width), (dy, height) = scaled(x), scaled(y)
    product, squares = float((dx * dy).sum()), float((dx**2).sum())
    if product**2 <= LEAST_R2 * squares * float((dy**2).sum()) or len(np.unique(x)) < LEAST_VALUES:
        return None
    if np.array_equal(x, y):
        return Line(1.0, 0.0, 0.0)
    slope = product / squares * (height / width)
    if not np.isfinite(slope):
        return None
    up, along = float(y.mean()), slope * float(x.mean())
    line = Line(slope, up - along, EXACT * (abs(up) + abs(along)))
    # Rounding moves each by half of its last digit at most, and the line is a little off.
    digits = 0.55 * (last_digit(y) + abs(slope) * last_digit(x))
    # Of the different values, since a target may be 0 in most rows; and of the middle half of them, since a few may be
    # far out.
    low, high = np.quantile(np.unique(y), [0.25, 0.75])
    most = COARSE * (high - low)
    if not line.within + ROUNDING * np.median(line.sizes(x, y)) <= most:
        return None
    return replace(line, within=line.within + digits) if digits <= most else line


def scaled(values: Array) -> tuple[Array, float]:
    """The values less their mean, divided so that the largest is 1, and by what they were divided; not if all are 0."""
    centred = values - values.mean()
    largest = float(np.abs(centred).max()) or 1.0
    return centred / largest, largest


def last_digit(values: Array) -> float:
    """What the last decimal of the values counts, such as 0.01; 0 where they have very many decimals."""
    for decimals in range(MOST_DECIMALS + 1):
        if (np.round(values, decimals) == values).all():
            return float(10.0**-decimals)
    return 0.0
