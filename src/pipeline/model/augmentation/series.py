"""Random changes of windows of series."""

from typing import TYPE_CHECKING

from pipeline.config import AugmentationConfig
from pipeline.data.schema import Column
from pipeline.model.augmentation.augmentation import Augmentation
from pipeline.model.kinds import SEQUENCE

if TYPE_CHECKING:
    import keras


def change(config: AugmentationConfig, columns: list[Column], x: "keras.KerasTensor") -> "keras.KerasTensor":
    """Changes of (B, T, C), where each channel has mean 0 and deviation 1. Jittering and scaling are those of Um et
    al. 2017."""
    import keras

    from pipeline.model.augmentation.masking import Mask
    from pipeline.model.augmentation.scaling import Scaling

    if config.scaling:
        x = Scaling(config.scaling)(x)
    if config.jitter:
        x = keras.layers.GaussianNoise(config.jitter)(x)
    if config.mask_time:
        x = Mask(1, config.mask_time, config.masks)(x)
    return x


AUGMENTATION = Augmentation(("jitter", "scaling", "mask_time"), (SEQUENCE,), change)
