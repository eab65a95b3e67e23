"""Series are made larger or smaller in training."""

from typing import Any

import keras
from keras import ops

from pipeline.model.augmentation.random_change import RandomChange


class Scaling(RandomChange):
    """Multiplies each channel of each row of x (B, T, C) by a factor of its own, which is normally distributed with
    mean 1 and the given deviation (Um et al. 2017)."""

    def __init__(self, deviation: float) -> None:
        super().__init__()
        self._deviation = deviation

    def change(self, x: Any) -> Any:
        shape = (ops.shape(x)[0], 1, x.shape[2])
        return x * keras.random.normal(shape, 1.0, self._deviation, "float32", self.seed_generator)
