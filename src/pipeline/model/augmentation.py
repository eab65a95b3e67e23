"""Random changes of training images, as Keras layers that the trainers put before the core.

They are never a part of the model that is served.
"""

from typing import TYPE_CHECKING

from pipeline.config import AugmentationConfig
from pipeline.errors import ConfigError

if TYPE_CHECKING:
    import keras


def build_augmentation(config: AugmentationConfig, shape: tuple[int, ...]) -> "keras.Model | None":
    """A model that maps features (B, H, W, C) to changed ones of the same shape, or None where no change is asked for.

    Raises ConfigError where the features are not images.
    """
    if not config.active:
        return None
    import keras

    if len(shape) != 3:
        raise ConfigError(
            f"trainer.augmentation changes images (height, width, channels), but the features have shape {shape}. "
            "Set its values to 0."
        )
    x = inputs = keras.Input(shape=shape)
    if config.flip:
        x = keras.layers.RandomFlip("horizontal")(x)
    if config.translate:
        x = keras.layers.RandomTranslation(config.translate, config.translate, fill_mode="nearest")(x)
    if config.rotate:
        x = keras.layers.RandomRotation(config.rotate, fill_mode="nearest")(x)
    if config.zoom:
        x = keras.layers.RandomZoom(config.zoom, fill_mode="nearest")(x)
    return keras.Model(inputs, x, name="augmentation")
