"""Single words are hidden in training, so that a model does not lean on any of them."""

from typing import Any

from keras import ops

from pipeline.model.augmentation.random_change import RandomChange
from pipeline.model.kinds import FILL, UNKNOWN


class WordDropout(RandomChange):
    """Turns each token of x (B, T), with the probability `share`, into the one that stands for what is not known: word
    dropout in Bowman et al. 2016, blank noising in Xie et al. 2017. What fills up a text stays as it is."""

    def __init__(self, share: float) -> None:
        super().__init__("int32")
        self._share = share

    def change(self, x: Any) -> Any:
        hidden = ops.logical_and(self.uniform(ops.shape(x)) < self._share, ops.not_equal(x, FILL))
        return ops.where(hidden, UNKNOWN, x)
