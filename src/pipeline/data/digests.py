"""Numbers that stand for values, to compare rows and to deal them out. They are the same on every machine."""

import hashlib
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Digests = NDArray[np.uint64]

# the constants of SplitMix64 (Steele, Lea and Flood 2014)
GOLDEN, FIRST, SECOND = (np.uint64(value) for value in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))
NULL = np.uint64(0x6E756C6C)


def mixed(values: Digests) -> Digests:
    """SplitMix64's finalizer: each bit of a result depends on all bits of its value (N,)."""
    mixed = values + GOLDEN
    # in place, which takes half the time
    mixed ^= mixed >> np.uint64(30)
    mixed *= FIRST
    mixed ^= mixed >> np.uint64(27)
    mixed *= SECOND
    mixed ^= mixed >> np.uint64(31)
    return mixed


def combined(columns: Sequence[Digests]) -> Digests:
    """One digest (N,) for each row, of the digests (N,) of its columns; their order counts."""
    total = np.zeros(len(columns[0]), np.uint64)
    for column in columns:
        total = mixed(total ^ column)
    return total


def text_digests(values: pa.Array) -> Digests:
    """A digest (N,) of each text. Each text that occurs several times is hashed once."""
    encoded = values.dictionary_encode() if not pa.types.is_dictionary(values.type) else values
    of_each = [
        int.from_bytes(hashlib.blake2b((text or "").encode(), digest_size=8).digest(), "little")
        for text in encoded.dictionary.to_pylist()
    ]
    codes = pc.fill_null(encoded.indices, 0).to_numpy(zero_copy_only=False)
    found: Digests = np.array([*of_each, 0], np.uint64)[codes]
    return found


def hexadecimal(digests: Digests) -> pa.StringArray:
    """Each digest (N,) as 16 hexadecimal digits."""
    digits = digests.astype(">u8").tobytes().hex().encode()
    offsets = np.arange(0, len(digits) + 1, 16, dtype=np.int32)
    return pa.StringArray.from_buffers(len(digests), pa.py_buffer(offsets), pa.py_buffer(digits))


def unit_interval(digests: Digests, seed: int) -> NDArray[np.float64]:
    """A uniform number in [0, 1) for each digest and the split's seed."""
    own = np.uint64(int.from_bytes(hashlib.blake2b(str(seed).encode(), digest_size=8).digest(), "little"))
    return (mixed(digests ^ own) >> np.uint64(11)).astype(np.float64) / 2**53
