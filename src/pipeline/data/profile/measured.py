"""What is measured of a value that is many letters or numbers, so that two samples of them can be compared."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Shares = dict[str, float]


@dataclass(frozen=True)
class Measured:
    """Of N values: `numbers` has a number for each value (N,), by what it is. `shares` has the mean shares of the parts
    that make up a value; what is left of 1 are other parts. So many values in a row share rows with one another
    (`overlap`), as windows of series do."""

    numbers: dict[str, Numbers]
    shares: dict[str, Shares] = field(default_factory=dict)
    overlap: int = 1
