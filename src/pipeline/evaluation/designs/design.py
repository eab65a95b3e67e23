"""What a column becomes for scikit-learn."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from pipeline.data.schema import Column

# It turns the values (n,) of one column into a matrix (n, d): an array, or a sparse one of SciPy's.
Encoder = Callable[[pa.Array], Any]


def listed(column: Column) -> int:
    """How many numbers a value is that is stored as a list; 0 for any other, which counts little."""
    return int(column.storage.list_size) if pa.types.is_fixed_size_list(column.storage) else 0


@dataclass(frozen=True)
class ColumnDesign:
    """`make` learns from the values (N,) of the training rows how to encode others. It returns None where there is
    nothing to encode.

    A matrix is standardised with those of the other columns, unless it is `sparse`: then it stays as it is, and may
    have more columns than there are rows. `size` is as how many numbers of 64 bits a value counts, of which a reference
    sees a certain number at most.
    """

    make: Callable[[Column, pa.Array], Encoder | None]
    sparse: bool = False
    size: Callable[[Column], int] = listed
