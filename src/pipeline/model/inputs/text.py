"""A text becomes tokens, its words, characters or bytes one after another, or else the bag of them, as
`preprocessing.text` says. A missing text has none.

Keras has no layer that takes the bytes of a text. So `collate` writes a character for each byte, of which there are
256, and the layer finds these. Nor has it one that splits a text without a vocabulary, so a hashed bag begins in
`collate` as well (hashed_bag.py).
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from pipeline.config import PreprocessingConfig, TextFeaturesConfig
from pipeline.config.experiment import HASHED
from pipeline.data.schema import Column
from pipeline.errors import ConfigError
from pipeline.model.inputs.hashed_bag import HashedBag, fit_hashed_bag, hashed_counts, hashed_features
from pipeline.model.inputs.input import Arrays, Chunks, Input, Tensor, side_by_side, texts_of
from pipeline.model.inputs.words import BYTE_0, BYTES, grams, of_bytes, rarity, units
from pipeline.model.kinds import TOKENS, VECTOR, Feature

if TYPE_CHECKING:
    import keras

# What Keras' TextVectorization does to a text before it splits it at white space or into characters, by whether
# punctuation is dropped and letters become lower case.
STANDARDS = {
    (True, True): "lower_and_strip_punctuation",
    (True, False): "strip_punctuation",
    (False, True): "lower",
    (False, False): None,
}
EVERY_BYTE = [BYTE_0, *map(chr, range(1, 256))]
MODES = {"presence": "multi_hot", "counts": "count", "tf_idf": "tf_idf"}


@dataclass(frozen=True)
class Bag:
    """What is known, the one that occurs in most texts first, in how many of the N texts each occurs, and how many
    words, characters or bytes the longest text has. There are `num_different` of them, in `num_pairs` pairs of one and
    a text that has it, and `num_longer` texts have more than a model sees that takes them one after another."""

    config: TextFeaturesConfig
    known: list[str]
    num_texts: list[int]
    num_rows: int
    longest: int
    num_different: int
    num_pairs: int
    num_longer: int

    @property
    def rarity(self) -> list[float]:
        return [rarity(self.num_rows, number) for number in self.num_texts]


class TextInput(Input):
    gives = (TOKENS, VECTOR)

    def as_taken(self, config: PreprocessingConfig, column: Column) -> Column:
        if config.text.vocabulary == HASHED:
            return replace(column, hashed=config.text)
        return replace(column, as_bytes=config.text.unit == BYTES)

    def tensors(self, column: Column) -> dict[str, Tensor]:
        if column.hashed:
            return {column.name: Tensor((column.hashed.buckets,), "float32")}
        return {column.name: Tensor((1,), "string")}

    def collate(self, column: Column, values: pa.Array) -> Arrays:
        if column.hashed:
            return {column.name: hashed_counts(values.to_pylist(), column.hashed)}
        if column.as_bytes:
            values = pa.array([text and of_bytes(text) for text in values.to_pylist()], pa.string())
        return {column.name: texts_of(values)}

    def fit(self, config: PreprocessingConfig, columns: list[Column], chunks: Chunks) -> Sequence[Bag | HashedBag]:
        if config.text.vocabulary == HASHED:
            return [fit_hashed_bag(config.text, column.name, chunks) for column in columns]
        counts: list[Counter[str]] = [Counter() for _ in columns]
        lengths: list[Counter[int]] = [Counter() for _ in columns]
        for table in chunks():
            for i, column in enumerate(columns):
                for text in table[column.name].to_pylist():
                    found = units(text or "", config.text)
                    counts[i].update(set(grams(found, config.text.ngrams)))
                    lengths[i][len(found)] += 1
        return [_bag(config.text, *found) for found in zip(counts, lengths, strict=True)]

    def apply(
        self,
        kind: str,
        columns: list[Column],
        fitted: Sequence[Bag | HashedBag],
        tensors: "dict[str, keras.KerasTensor]",
    ) -> Feature:
        texts = [tensors[column.name] for column in columns]
        if kind == TOKENS:
            return _tokens(columns[0].name, fitted[0], texts[0])
        for column, bag in zip(columns, fitted, strict=True):
            if isinstance(bag, Bag):
                tell_known(column.name, bag, len(bag.known))
        parts = [
            hashed_features(i, bag, text) if isinstance(bag, HashedBag) else _bag_of(i, bag, text)
            for i, (bag, text) in enumerate(zip(fitted, texts, strict=True))
        ]
        return Feature(side_by_side(parts, "bags"))


def _tokens(name: str, bag: Bag | HashedBag, text: "keras.KerasTensor") -> Feature:
    """Tokens (B, T). What only one training text has is not known, so that a model learns about what is not known. No
    byte is unknown."""
    import keras

    if isinstance(bag, HashedBag):
        raise ConfigError(
            f"preprocessing.text.vocabulary: found {HASHED}, but this model takes {bag.config.unit} one after another. "
            "Set it to learned, or choose a model that takes vectors."
        )
    if bag.config.ngrams > 1:
        raise ConfigError(
            f"preprocessing.text.ngrams: found {bag.config.ngrams}, but this model takes single {bag.config.unit}. "
            "Set it to 1, or choose a model that takes vectors."
        )
    seen = bag.known[: sum(number > 1 for number in bag.num_texts)]
    known = EVERY_BYTE if bag.config.unit == BYTES else seen
    if known is seen:
        tell_known(name, bag, len(seen))
    tell_cut(name, bag)
    length = max(1, min(bag.longest, bag.config.longest))
    layer = _layer(bag, known, "tokens", output_mode="int", output_sequence_length=length)
    return Feature(keras.ops.cast(layer(text), "int32"), [layer.vocabulary_size()])


def _bag_of(i: int, bag: Bag, text: "keras.KerasTensor") -> "keras.KerasTensor":
    """The bag (B, V) of the i-th text column."""
    import keras

    weighted = bag.config.weight == "tf_idf"
    rarity = (bag.rarity or [0.0]) if weighted else None
    ngrams, mode = bag.config.ngrams, MODES[bag.config.weight]
    layer = _layer(bag, bag.known, f"bag_{i}", ngrams=ngrams, output_mode=mode, idf_weights=rarity)
    # Keras says (B, 1, V) of the layer's output, which is (B, V).
    x = keras.layers.Reshape((layer.vocabulary_size(),), name=f"features_of_bag_{i}")(layer(text))
    # The first feature is for all that is not known.
    x = keras.ops.cast(x, "float32")[:, 1:]
    return keras.layers.UnitNormalization(name=f"bag_of_length_1_{i}")(x) if weighted else x


def _layer(bag: Bag, known: list[str], name: str, **options: Any) -> "keras.layers.TextVectorization":
    import keras

    config = bag.config
    return keras.layers.TextVectorization(
        standardize=STANDARDS[config.drops_punctuation, config.lower],
        split="whitespace" if config.unit == "words" else "character",
        # Keras wants a word, though there may be none.
        vocabulary=known or ["word"],
        name=name,
        **options,
    )


def tell_known(name: str, bag: Bag, num_known: int) -> None:
    """Print how many different words, characters or bytes are known, which are the first of the bag, and which share
    they are of those in the training texts, each counted once in a text."""
    share = sum(bag.num_texts[:num_known]) / max(1, bag.num_pairs)
    print(
        f"{name}: {num_known} of {bag.num_different} {bag.config.unit} are known, which are {share:.1%} of those in "
        "texts"
    )


def tell_cut(name: str, bag: Bag) -> None:
    """Print how many training texts are longer than what a model sees of them, if there are any."""
    if bag.num_longer:
        print(
            f"{name}: {bag.num_longer} of {bag.num_rows} training texts have more than {bag.config.longest} "
            f"{bag.config.unit}; a model does not see what comes after them (preprocessing.text.longest)"
        )


def _bag(config: TextFeaturesConfig, count: "Counter[str]", lengths: "Counter[int]") -> Bag:
    """Of what occurs in equally many texts, the first by the alphabet comes first."""
    kept = sorted(count.items(), key=lambda entry: (-entry[1], entry[0]))[: config.most]
    num_longer = sum(number for length, number in lengths.items() if length > config.longest)
    known, num_texts = [name for name, _ in kept], [number for _, number in kept]
    return Bag(
        config, known, num_texts, lengths.total(), max(lengths, default=0), len(count), count.total(), num_longer
    )
