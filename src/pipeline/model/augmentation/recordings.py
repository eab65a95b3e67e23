"""Random changes of spectrograms."""

from typing import TYPE_CHECKING

from pipeline.config import AugmentationConfig
from pipeline.data.schema import Column
from pipeline.model.augmentation.augmentation import Augmentation
from pipeline.model.kinds import GRID, SEQUENCE

if TYPE_CHECKING:
    import keras


def change(config: AugmentationConfig, columns: list[Column], x: "keras.KerasTensor") -> "keras.KerasTensor":
    """Changes of (B, T, F, 1) or (B, T, F)."""
    import keras

    from pipeline.model.augmentation.masking import Mask

    shape = x.shape[1:]
    if config.shift_time:
        grid = keras.layers.Reshape((*shape[:2], 1))(x)
        shifted = keras.layers.RandomTranslation(config.shift_time, 0.0, fill_mode="nearest")(grid)
        x = keras.layers.Reshape(shape)(shifted)
    for axis, share in ((1, config.mask_time), (2, config.mask_bands)):
        if share:
            x = Mask(axis, share, config.masks)(x)
    return x


AUGMENTATION = Augmentation(("shift_time", "mask_time", "mask_bands"), (GRID, SEQUENCE), change)
