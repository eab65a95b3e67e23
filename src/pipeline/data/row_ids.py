"""The texts by which rows are told apart."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.data.digests import Digests, hexadecimal


class RowIds:
    """Ids of rows, made for some rows at a time, in the order of the rows. An id is the digest of a row's inputs; the
    n-th repetition of the same inputs gets `-n` behind it. `repeated` are the digests that occur more than once, in
    ascending order: only their rows have to be counted."""

    def __init__(self, repeated: Digests) -> None:
        self._repeated = repeated
        self._seen = np.zeros(len(repeated), np.int64)

    def following(self, digests: Digests) -> pa.StringArray:
        """The ids (N,) of the next rows."""
        ids, earlier = hexadecimal(digests), self._earlier(digests)
        again = earlier > 0
        if not again.any():
            return ids
        counts = pa.array(earlier[again]).cast(pa.string())
        numbered = pc.binary_join_element_wise(ids.filter(pa.array(again)), counts, "-")
        return pc.replace_with_mask(ids, pa.array(again), numbered)

    def _earlier(self, digests: Digests) -> NDArray[np.int64]:
        """How many earlier rows have the digest of each of these rows (N,)."""
        earlier = np.zeros(len(digests), np.int64)
        if not len(self._repeated):
            return earlier
        places = np.minimum(np.searchsorted(self._repeated, digests), len(self._repeated) - 1)
        rows = np.flatnonzero(self._repeated[places] == digests)
        rows = rows[np.argsort(places[rows], kind="stable")]
        found, starts, counts = np.unique(places[rows], return_index=True, return_counts=True)
        earlier[rows] = np.repeat(self._seen[found], counts) + np.arange(len(rows)) - np.repeat(starts, counts)
        self._seen[found] += counts
        return earlier
