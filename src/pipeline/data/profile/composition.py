"""How long sequences are, of which letters they are made, and of which pairs of neighbours."""

import numpy as np
import pyarrow as pa

from pipeline.data.profile.measured import Measured, Numbers, Shares
from pipeline.data.types.sequence import SequenceColumn, letters_of

MOST_PAIRS = 20  # with more of them, thousands of sequences would be needed to tell any difference


def composition(values: pa.ChunkedArray, config: SequenceColumn) -> Measured:
    """The lengths of sequences (N,), the share that each letter has of a sequence, and for small alphabets that of each
    pair of letters that stand side by side. What is left are ambiguous ones."""
    letters = letters_of(config)
    size = len(letters)
    place = np.full(256, size, np.int64)
    place[np.frombuffer(letters.encode(), np.uint8)] = np.arange(size)
    singles, pairs = np.zeros(size + 1), np.zeros(size**2 + 1)
    lengths = []
    for text in values.to_pylist():
        codes = place[np.frombuffer(text.encode(), np.uint8)]
        lengths.append(len(codes))
        singles += np.bincount(codes, minlength=size + 1) / len(codes)
        if size**2 <= MOST_PAIRS and len(codes) > 1:
            one, other = codes[:-1], codes[1:]
            both = np.where((one < size) & (other < size), one * size + other, size**2)
            pairs += np.bincount(both, minlength=size**2 + 1) / len(both)
    shares = {"letters": means(singles, list(letters), len(lengths))}
    if size**2 <= MOST_PAIRS:
        names = [one + other for one in letters for other in letters]
        shares["pairs of letters"] = means(pairs, names, len(lengths))
    return Measured({"lengths": np.array(lengths, np.float64)}, shares)


def means(sums: Numbers, names: list[str], count: int) -> Shares:
    """The sums of all but the last, which is of what has no name, divided by how many values were added up."""
    return dict(zip(names, (sums[:-1] / max(1, count)).tolist(), strict=True))
