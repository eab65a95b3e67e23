"""Letters are changed and moved in training, as by evolution (EvoAug, Lee, Tang, Toneyan and Koo 2023).

Shapes: B rows, T places, C letters of the alphabet. What fills up a shorter sequence has no letter, and stays so.
"""

from typing import Any

from keras import ops

from pipeline.model.augmentation.random_change import RandomChange


class Substitute(RandomChange):
    """Turns each letter of x (B, T, C), with the probability `share`, into one of the C - 1 others, which are equally
    likely (Jukes and Cantor 1969).

    The fractions of a letter move along the alphabet. So an ambiguous letter stands for as many letters as before, and
    one that may be any letter stays as it is.
    """

    def __init__(self, share: float) -> None:
        super().__init__()
        self._share = share

    def change(self, x: Any) -> Any:
        rows, (places, letters) = ops.shape(x)[0], x.shape[1:]
        drawn_2BT1 = self.uniform((2, rows, places, 1))
        by_BT1 = 1 + ops.cast(ops.floor(drawn_2BT1[0] * (letters - 1)), "int32")
        source_BTC = (ops.arange(letters) - by_BT1) % letters
        return ops.where(drawn_2BT1[1] < self._share, ops.take_along_axis(x, source_BTC, axis=-1), x)


class Shift(RandomChange):
    """Moves the letters of each row of x (B, T, C) by up to `most` places to either side; each distance is equally
    likely (Kelley et al. 2018).

    Letters that leave the sequence are lost. Those that would come from outside of it may be any letter: they have
    equal fractions, as N has. So a sequence stays as long as it is.
    """

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def change(self, x: Any) -> Any:
        rows, (places, letters) = ops.shape(x)[0], x.shape[1:]
        by_B11 = ops.cast(ops.floor(self.uniform((rows, 1, 1)) * (2 * self._most + 1)), "int32") - self._most
        real_BT1 = ops.any(ops.not_equal(x, 0), axis=-1, keepdims=True)
        length_B11 = ops.sum(ops.cast(real_BT1, "int32"), axis=1, keepdims=True)
        source_BT1 = ops.expand_dims(ops.arange(places), -1) - by_B11
        inside_BT1 = ops.logical_and(source_BT1 >= 0, source_BT1 < length_B11)
        moved = ops.take_along_axis(x, ops.clip(source_BT1, 0, places - 1), axis=1)
        return ops.where(real_BT1, ops.where(inside_BT1, moved, 1 / letters), x)
