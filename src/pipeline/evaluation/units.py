"""What is resampled instead of rows, where rows are not independent of one another: groups, or blocks of time.

Whole groups are drawn, with all their rows (the cluster bootstrap: Davison and Hinkley 1997, section 3.8; Field and
Welsh 2007). Rows in the order of time are cut into blocks of neighbours, which are then treated as groups (the block
bootstrap of Carlstein 1986).
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.data.related import Groups, Related, Stretches, overlap

UNIT = "unit"  # the column of scores.parquet with the number of each row's unit
MOST_BLOCKS = 30
OVERLAPS = 2  # how many times as long a block is as rows overlap


@dataclass(frozen=True)
class Units:
    """`of_row` (N,) is the number of each row's unit, from 0. `words` say what the `count` units are."""

    of_row: NDArray[np.int64]
    count: int
    words: str

    @property
    def mean_rows(self) -> float:
        return len(self.of_row) / self.count


def units_of(related: Related | None) -> Units | None:
    """The units of rows, None where each row is one of its own."""
    if related is None:
        return None
    return _groups(related) if isinstance(related, Groups) else _blocks(related)


def least_units(tail: float) -> int:
    """With fewer units, there is no interval that misses on either side with a probability of `tail` at most. Even the
    span from the worst unit to the best one misses the median of all units on either side with probability 2 ** -count,
    and a bootstrap never reaches beyond that span. One unit alone shows no spread at all."""
    return max(2, math.ceil(-math.log2(tail)))


def too_few(units: Units | None, tail: float) -> bool:
    return units is not None and units.count < least_units(tail)


def _groups(groups: Groups) -> Units:
    names, of_row = np.unique(groups.of_row, return_inverse=True)
    return Units(of_row.astype(np.int64), len(names), f"{_counted(len(names), 'group')} ({groups.name})")


def _blocks(stretches: Stretches) -> Units:
    """Blocks of rows that end one after another; rows of one instant are in one block.

    A block is OVERLAPS times as long as the run of rows that overlap one row (that of 95 % of the rows), so that most
    pairs of rows that share something are in one block. It has at least the cube root of N rows (Hall, Horowitz and
    Jing 1995), and as many that there are MOST_BLOCKS at most: long blocks hold slow changes too, and that they are few
    is made up for by Student's t (`widened` in intervals.py; Kiefer and Vogelsang 2005; Ibragimov and Mueller 2010).
    """
    num_rows = len(stretches.end)
    length = max(OVERLAPS * overlap(stretches), math.ceil(num_rows ** (1 / 3)), math.ceil(num_rows / MOST_BLOCKS))
    wanted = max(1, num_rows // length)
    place = np.searchsorted(np.sort(stretches.end), stretches.end)
    _, of_row = np.unique(place * wanted // num_rows, return_inverse=True)
    count = int(of_row.max()) + 1
    words = f"{_counted(count, 'block')} of about {round(num_rows / count)} rows in the order of time"
    return Units(of_row.astype(np.int64), count, words)


def _counted(count: int, noun: str) -> str:
    return f"1 {noun}" if count == 1 else f"{count:,} {noun}s"
