"""A text is the bag of its words: one feature for each of the most frequent words, which is 1 where the text has it. A
missing text has no words."""

import re
import string
from collections import Counter
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from numpy.typing import NDArray

from pipeline.config import PreprocessingConfig
from pipeline.data.schema import Column
from pipeline.model.inputs.input import Chunks, Input, Tensor, side_by_side, texts_of
from pipeline.model.kinds import VECTOR

if TYPE_CHECKING:
    import keras

# what Keras' TextVectorization does to a text before it splits it at white space
LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
PUNCTUATION = re.compile(r"[!\"#$%&()*+,\-./:;<=>?@\[\\\]^_`{|}~']")
SPACE = re.compile(r"[ \t\n\r\f\v]+")


class TextInput(Input):
    gives = VECTOR

    def tensors(self, column: Column) -> dict[str, Tensor]:
        return {column.name: Tensor((1,), "string")}

    def collate(self, column: Column, values: pa.Array) -> dict[str, NDArray[Any]]:
        return {column.name: texts_of(values)}

    def fit(self, config: PreprocessingConfig, columns: list[Column], chunks: Chunks) -> list[list[str]]:
        """The most frequent words of each column; of equally frequent ones the first by the alphabet."""
        counts: list[Counter[str]] = [Counter() for _ in columns]
        for table in chunks():
            for column, count in zip(columns, counts, strict=True):
                for text in table[column.name].to_pylist():
                    count.update(set(words(text or "")))
        return [
            [word for word, _ in sorted(count.items(), key=lambda entry: (-entry[1], entry[0]))][: config.most_words]
            for count in counts
        ]

    def apply(
        self, columns: list[Column], fitted: list[list[str]], tensors: "dict[str, keras.KerasTensor]"
    ) -> "keras.KerasTensor":
        import keras

        parts = []
        for i, (column, known) in enumerate(zip(columns, fitted, strict=True)):
            layer = keras.layers.TextVectorization(
                vocabulary=known or ["word"], output_mode="multi_hot", name=f"words_{i}"
            )
            # Keras says (B, 1, V) of the layer's output, which is (B, V).
            bag = keras.layers.Reshape((layer.vocabulary_size(),), name=f"bag_{i}")(layer(tensors[column.name]))
            parts.append(keras.ops.cast(bag, "float32"))
        return side_by_side(parts, "bags")


def words(text: str) -> list[str]:
    """The words of a text as Keras' TextVectorization finds them."""
    return [word for word in SPACE.split(PUNCTUATION.sub("", text.translate(LOWER))) if word]
