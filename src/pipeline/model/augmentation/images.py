"""Random changes of images."""

from typing import TYPE_CHECKING

from pipeline.config import AugmentationConfig
from pipeline.data.schema import Column
from pipeline.model.augmentation.augmentation import Augmentation
from pipeline.model.kinds import GRID

if TYPE_CHECKING:
    import keras


def change(config: AugmentationConfig, columns: list[Column], x: "keras.KerasTensor") -> "keras.KerasTensor":
    import keras

    if config.flip:
        x = keras.layers.RandomFlip("horizontal")(x)
    if config.translate:
        x = keras.layers.RandomTranslation(config.translate, config.translate, fill_mode="nearest")(x)
    if config.rotate:
        x = keras.layers.RandomRotation(config.rotate, fill_mode="nearest")(x)
    if config.zoom:
        x = keras.layers.RandomZoom(config.zoom, fill_mode="nearest")(x)
    return x


AUGMENTATION = Augmentation(("translate", "rotate", "zoom", "flip"), (GRID,), change)
