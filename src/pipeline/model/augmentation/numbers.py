"""Random changes of the numbers of a table."""

from typing import TYPE_CHECKING

from pipeline.config import AugmentationConfig
from pipeline.data.schema import Column
from pipeline.model.augmentation.augmentation import Augmentation
from pipeline.model.kinds import VECTOR

if TYPE_CHECKING:
    import keras


def change(config: AugmentationConfig, columns: list[Column], x: "keras.KerasTensor") -> "keras.KerasTensor":
    """Changes of a vector (B, D + F) of D columns of mean 0 and deviation 1, and of F flags for missing values behind
    them, which stay as they are. Noise of the inputs is that of Bishop 1995, and dropout of inputs that of Srivastava
    et al. 2014: what is dropped is 0, the mean, and what is kept is divided by the share of what is kept."""
    import keras

    numbers, flags = x[:, : len(columns)], x[:, len(columns) :]
    if config.jitter:
        numbers = keras.layers.GaussianNoise(config.jitter)(numbers)
    if config.feature_dropout:
        numbers = keras.layers.Dropout(config.feature_dropout)(numbers)
    return keras.layers.Concatenate()([numbers, flags]) if flags.shape[1] else numbers


AUGMENTATION = Augmentation(("jitter", "feature_dropout"), (VECTOR,), change)
