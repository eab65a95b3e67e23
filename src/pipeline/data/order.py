"""The order in which rows are visited. It is a pure function of (seed, epoch), so a resumed run is the same run."""

import numpy as np
from numpy.typing import NDArray


def generator(*key: int) -> np.random.Generator:
    """A random number generator of NumPy's that depends only on `key` (Philox, Salmon et al. 2011)."""
    return np.random.Generator(np.random.Philox(np.random.SeedSequence(key)))


def epoch_order(seed: int, epoch: int, num_rows: int) -> NDArray[np.int32]:
    """A permutation of 0 .. num_rows - 1 for this seed and epoch (from 0)."""
    return generator(seed, epoch).permutation(num_rows).astype(np.int32)
