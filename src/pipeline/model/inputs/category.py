"""A category becomes a code, which a family may embed, or else a feature of its own, which is 1 where a row is of it
(one-hot).

Categories with few training rows share one code or feature, `rare`. One that no training row has is code 0, or 0 in all
features. So is a missing value, unless there were some in the training rows: then it has a code, or a flag, of its own.
"""

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.config import PreprocessingConfig
from pipeline.data.schema import Column
from pipeline.model.inputs.input import (
    MISSING,
    Arrays,
    Chunks,
    Input,
    Tensor,
    flag,
    side_by_side,
    texts_of,
    with_missing,
)
from pipeline.model.kinds import CODES, VECTOR, Feature

if TYPE_CHECKING:
    import keras


MOST_RARE = 10_000  # more of them are treated as unknown, so that a column of ids makes no huge model
# So many are counted at a time, so that memory need not hold the many millions of values of an id. One that comes often
# is among the more frequent half whenever some are forgotten.
MOST_COUNTED = 2**20


@dataclass(frozen=True)
class Vocabulary:
    """The categories with a feature of their own, and those that share one. `flagged` says whether there were missing
    values."""

    own: list[str]
    rare: list[str]
    flagged: bool


class CategoryInput(Input):
    gives = (CODES, VECTOR)

    def tensors(self, column: Column) -> dict[str, Tensor]:
        return {column.name: Tensor((1,), "string")} | flag(column)

    def collate(self, column: Column, values: pa.Array) -> Arrays:
        return with_missing(column, values, {column.name: texts_of(values)})

    def fit(self, config: PreprocessingConfig, columns: list[Column], chunks: Chunks) -> list[Vocabulary]:
        counts: list[Counter[str]] = [Counter() for _ in columns]
        flagged = [False] * len(columns)
        for table in chunks():
            for i, column in enumerate(columns):
                values = table[column.name].combine_chunks()
                flagged[i] |= values.null_count > 0
                for entry in pc.value_counts(values.drop_null()).to_pylist():
                    counts[i][entry["values"]] += entry["counts"]
                _forget_rare(counts[i])
        return [_vocabulary(count, config, some) for count, some in zip(counts, flagged, strict=True)]

    def apply(
        self, kind: str, columns: list[Column], fitted: list[Vocabulary], tensors: "dict[str, keras.KerasTensor]"
    ) -> Feature:
        return codes(columns, fitted, tensors) if kind == CODES else one_hot(columns, fitted, tensors)


def codes(columns: list[Column], fitted: list[Vocabulary], tensors: "dict[str, keras.KerasTensor]") -> Feature:
    """Codes (B, C): 0 for what is not known, then one for each category of its own, one for those that are rare, and
    one for missing values."""
    import keras

    parts, sizes = [], []
    for i, (column, found) in enumerate(zip(columns, fitted, strict=True)):
        last = len(found.own) + bool(found.rare)
        number = lookup(i, found)(tensors[column.name])
        code = keras.ops.minimum(keras.ops.cast(number, "int32"), last)
        if column.nullable:
            missing = keras.ops.cast(tensors[column.name + MISSING], "int32")
            code = code * (1 - missing) + missing * ((last + 1) * found.flagged)
        parts.append(code)
        sizes.append(1 + last + found.flagged)
    return Feature(side_by_side(parts, "codes"), sizes)


def one_hot(columns: list[Column], fitted: list[Vocabulary], tensors: "dict[str, keras.KerasTensor]") -> Feature:
    """Features (B, D), which are 0 or 1."""
    import keras

    parts = []
    for i, (column, found) in enumerate(zip(columns, fitted, strict=True)):
        known = [*found.own, *found.rare]
        width = len(found.own) + bool(found.rare)
        if known:
            # Number 0 stands for what is not known. The matrix turns a number into features.
            matrix = np.zeros((1 + len(known), width), np.float32)
            matrix[np.arange(len(known)) + 1, np.minimum(np.arange(len(known)), width - 1)] = 1.0
            number = lookup(i, found)(tensors[column.name])
            table = keras.layers.Embedding(*matrix.shape, trainable=False, name=f"one_hot_{i}")
            x = keras.layers.Flatten(name=f"features_{i}")(table(number))
            table.set_weights([matrix])
            if column.nullable:
                there = keras.layers.Rescaling(-1.0, 1.0, name=f"there_{i}")(tensors[column.name + MISSING])
                x = keras.layers.Multiply(name=f"features_there_{i}")([x, there])
            parts.append(x)
        if found.flagged:
            parts.append(keras.layers.Identity(dtype="float32", name=f"missing_{i}")(tensors[column.name + MISSING]))
    return Feature(side_by_side(parts, "categories"))


def lookup(i: int, found: Vocabulary) -> "keras.layers.StringLookup":
    """A layer that numbers the categories of the i-th column from 1 on, and gives 0 for a text that is none of them."""
    import keras

    known = [*found.own, *found.rare]
    # Keras wants a category, though there may be none.
    return keras.layers.StringLookup(vocabulary=known or [""], oov_token=unknown(known), name=f"category_{i}")


def unknown(known: list[str]) -> str:
    """A text for what is not known, which is none of the categories; Keras takes the first of them for it if it is."""
    token = "[UNK]"
    while token in known:
        token += "_"
    return token


def _forget_rare(count: Counter[str]) -> None:
    """Of more than MOST_COUNTED categories, forget all but the more frequent half."""
    if len(count) > MOST_COUNTED:
        for _, name in sorted((-number, name) for name, number in count.items())[MOST_COUNTED // 2 :]:
            del count[name]


def _vocabulary(count: Counter[str], config: PreprocessingConfig, flagged: bool) -> Vocabulary:
    """The most frequent categories have features of their own; of equally frequent ones the first by the alphabet."""
    ordered = sorted((-number, name) for name, number in count.items())
    own = [name for number, name in ordered if -number >= config.rare][: config.most_categories]
    kept = set(own)
    rare = [name for _, name in ordered if name not in kept][:MOST_RARE]
    return Vocabulary(sorted(own), sorted(rare), flagged)
