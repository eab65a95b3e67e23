"""A double strand of DNA may be read from either end, so a model of it may learn from both strands."""

from typing import Any

import keras
from keras import ops

from pipeline.model.families.steps import reversed_steps


class ReverseComplement(keras.layers.Layer):  # type: ignore[misc]
    """Turns each sequence of letters x (B, T, C), at random half of the time, into its reverse complement. What fills
    up a shorter one stays behind its last letter.

    The complement of a letter stands as far from the end of the alphabet as the letter from its beginning, so the
    fractions of an ambiguous one are turned round like those of any other.
    """

    def __init__(self) -> None:
        super().__init__()
        self.seed_generator = keras.random.SeedGenerator(0)

    def call(self, x: Any, training: bool = False) -> Any:
        if not training:
            return x
        real_BT1 = ops.any(ops.not_equal(x, 0), axis=-1, keepdims=True)
        other = reversed_steps(ops.flip(x, axis=-1), real_BT1)
        drawn_B11 = keras.random.uniform((ops.shape(x)[0], 1, 1), seed=self.seed_generator)
        return ops.where(drawn_B11 < 0.5, other, x)

    def compute_output_shape(self, shape: Any) -> Any:
        return shape
