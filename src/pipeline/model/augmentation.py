"""Random changes of training images, as Keras layers that the trainers put before the core.

They are never a part of the model that is served.
"""

from typing import TYPE_CHECKING

from pipeline.config import AugmentationConfig
from pipeline.errors import ConfigError
from pipeline.model.kinds import GRID

if TYPE_CHECKING:
    import keras


def build_augmentation(config: AugmentationConfig, features: "dict[str, keras.KerasTensor]") -> "keras.Model | None":
    """A model that maps features to features, of which images (B, H, W, C) are changed; None where no change is asked
    for.

    Raises ConfigError where the features are not images.
    """
    if not config.active:
        return None
    import keras

    if list(features) != [GRID]:
        raise ConfigError(
            f"trainer.augmentation changes images, but the features are a {' and a '.join(features)}. "
            "Set its values to 0."
        )
    x = image = keras.Input(features[GRID].shape[1:])
    if config.flip:
        x = keras.layers.RandomFlip("horizontal")(x)
    if config.translate:
        x = keras.layers.RandomTranslation(config.translate, config.translate, fill_mode="nearest")(x)
    if config.rotate:
        x = keras.layers.RandomRotation(config.rotate, fill_mode="nearest")(x)
    if config.zoom:
        x = keras.layers.RandomZoom(config.zoom, fill_mode="nearest")(x)
    return keras.Model({GRID: image}, {GRID: x}, name="augmentation")
