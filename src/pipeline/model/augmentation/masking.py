"""Pieces of a spectrogram or a series are hidden in training, so that a model learns to do without any single one
(SpecAugment, Park et al. 2019)."""

from typing import Any

from keras import ops

from pipeline.model.augmentation.random_change import RandomChange


class Mask(RandomChange):
    """Sets `number` pieces of an axis of x (B, T, F, ...) to 0, which is the mean of standardised values. Each piece is
    of a random width of up to `share` of the axis, and at a random place, which differ from row to row."""

    def __init__(self, axis: int, share: float, number: int) -> None:
        super().__init__()
        self._axis, self._share, self._number = axis, share, number

    def change(self, x: Any) -> Any:
        size = x.shape[self._axis]
        widest = max(1, round(self._share * size))
        drawn_2BN = self.uniform((2, ops.shape(x)[0], self._number))
        width_BN = ops.floor(drawn_2BN[0] * (widest + 1))
        start_BN = ops.floor(drawn_2BN[1] * (size - width_BN + 1))
        places = ops.arange(size, dtype="float32")
        after = ops.greater_equal(places, ops.expand_dims(start_BN, -1))
        before = ops.less(places, ops.expand_dims(start_BN + width_BN, -1))
        hidden_BS = ops.any(ops.logical_and(after, before), axis=1)
        shape = [-1, *(size if axis == self._axis else 1 for axis in range(1, len(x.shape)))]
        return x * ops.reshape(ops.cast(ops.logical_not(hidden_BS), x.dtype), shape)
