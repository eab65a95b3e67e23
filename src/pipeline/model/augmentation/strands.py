"""A double strand of DNA may be read from either end, so a model of it may learn from both strands."""

from typing import Any

from keras import ops

from pipeline.model.augmentation.random_change import RandomChange
from pipeline.model.families.steps import reversed_steps


class ReverseComplement(RandomChange):
    """Turns each sequence of letters x (B, T, C), at random half of the time, into its reverse complement. What fills
    up a shorter one stays behind its last letter.

    The complement of a letter stands as far from the end of the alphabet as the letter from its beginning, so the
    fractions of an ambiguous one are turned round like those of any other.
    """

    def change(self, x: Any) -> Any:
        real_BT1 = ops.any(ops.not_equal(x, 0), axis=-1, keepdims=True)
        other = reversed_steps(ops.flip(x, axis=-1), real_BT1)
        drawn_B11 = self.uniform((ops.shape(x)[0], 1, 1))
        return ops.where(drawn_B11 < 0.5, other, x)
