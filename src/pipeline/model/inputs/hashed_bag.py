"""The bag of a text without a vocabulary: the digest of a word (or of a sequence of them) says in which of a fixed
number of buckets it counts. Words that share a bucket add up there (Weinberger et al. 2009, *Feature Hashing for Large
Scale Multitask Learning*, without their signs).

The words are counted in `collate`, in plain Python and NumPy, so that each count is exact and the same on every
machine.
"""

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.config import TextFeaturesConfig
from pipeline.data.digests import text_digests
from pipeline.model.inputs.input import Chunks
from pipeline.model.inputs.scaling import rescale
from pipeline.model.inputs.words import grams, rarity, units

if TYPE_CHECKING:
    import keras

MOST_CELLS = 2**22  # of counts that are made at once


@dataclass(frozen=True)
class HashedBag:
    """`rarity` is what each bucket is multiplied with for `weight: tf_idf`."""

    config: TextFeaturesConfig
    rarity: list[float] | None


def hashed_counts(texts: list[str | None], config: TextFeaturesConfig) -> NDArray[Any]:
    """How often words of each text fall into each bucket (N, buckets), as float32."""
    counts = np.zeros((len(texts), config.buckets), np.float32)
    size = max(1, MOST_CELLS // config.buckets)
    for start in range(0, len(texts), size):
        found = [grams(units(text or "", config), config.ngrams) for text in texts[start : start + size]]
        digests = text_digests(pa.array(chain.from_iterable(found), pa.string()))
        buckets = (digests % np.uint64(config.buckets)).astype(np.int64)
        rows = np.repeat(np.arange(len(found)), [len(some) for some in found])
        cells = np.bincount(rows * config.buckets + buckets, minlength=len(found) * config.buckets)
        counts[start : start + size] = cells.reshape(len(found), config.buckets)
    return counts


def fit_hashed_bag(config: TextFeaturesConfig, name: str, chunks: Chunks) -> HashedBag:
    """Nothing is to be learned of the training rows but how rare each bucket is, and that for `tf_idf` alone."""
    print(f"{name}: {config.unit} are hashed into {config.buckets} buckets")
    if config.weight != "tf_idf":
        return HashedBag(config, None)
    num_rows, num_texts = 0, np.zeros(config.buckets, np.int64)
    for table in chunks():
        num_rows += table.num_rows
        num_texts += (hashed_counts(table[name].to_pylist(), config) > 0).sum(axis=0)
    return HashedBag(config, [rarity(num_rows, int(number)) for number in num_texts])


def hashed_features(i: int, bag: HashedBag, counts: "keras.KerasTensor") -> "keras.KerasTensor":
    """The bag (B, buckets) of the i-th text column, from the counts."""
    import keras

    if bag.config.weight == "presence":
        return keras.ops.minimum(counts, 1.0)
    if bag.rarity is None:
        return counts
    weighted = rescale(counts, bag.rarity, 0.0, f"rarity_{i}")
    return keras.layers.UnitNormalization(name=f"bag_of_length_1_{i}")(weighted)
