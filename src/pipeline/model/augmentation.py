"""Random changes of training images, as Keras layers that the trainers put before the core; never in what is served."""

from typing import TYPE_CHECKING

from pipeline.config import AugmentationConfig
from pipeline.errors import ConfigError

if TYPE_CHECKING:
    import keras


def build_augmentation(config: AugmentationConfig, shape: tuple[int, ...]) -> "keras.Model | None":
    """A model from features (B, H, W, C) to changed ones of the same shape, or None where nothing is asked for."""
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
