"""The kinds of features: what the columns of a type become, and what a family takes."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras

# The shapes of their features are (B, D), (B, T, C) and (B, H, W, C), all of them float32.
VECTOR, SEQUENCE, GRID = "vector", "sequence", "grid"
# Whole numbers (B, C) that stand for categories, one for each of C columns. 0 stands for what is not known.
CODES = "codes"
# Whole numbers (B, T) that stand for the words, characters or bytes of a text, one after another. FILL fills up a text
# with fewer than T of them, and UNKNOWN stands for what is not known.
TOKENS = "tokens"
FILL, UNKNOWN = 0, 1
# The letters (B, T, C) of a sequence, one after another, as fractions over an alphabet of C letters, float32. Where all
# of them are 0, there is no letter: such places fill up a sequence with fewer than T letters.
LETTERS = "letters"
# Only these may stand beside each other: a row then has one vector, and its codes.
TOGETHER = (VECTOR, CODES)


@dataclass(frozen=True)
class Feature:
    """The features of one kind. Of codes, `sizes` holds how many different ones each column has, counting 0; of tokens
    it holds how many different ones there are. `widths` says how much of the last axis the columns of each type take;
    the types lie side by side in this order."""

    tensor: "keras.KerasTensor"
    sizes: list[int] = field(default_factory=list)
    widths: dict[str, int] = field(default_factory=dict)


# What a family is given: at most one feature of each kind that it takes, by the kind.
Features = dict[str, Feature]


def only(features: Features) -> "keras.KerasTensor":
    """The tensor of the one feature that there is."""
    (feature,) = features.values()
    return feature.tensor
