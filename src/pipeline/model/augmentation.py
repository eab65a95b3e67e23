"""Random changes of training images and spectrograms, as Keras layers that the trainers put before the core.

They are never a part of the model that is served.
"""

from typing import TYPE_CHECKING

from pipeline.config import AugmentationConfig
from pipeline.errors import ConfigError
from pipeline.model.kinds import GRID, SEQUENCE

if TYPE_CHECKING:
    import keras


def build_augmentation(config: AugmentationConfig, features: "dict[str, keras.KerasTensor]") -> "keras.Model | None":
    """A model that maps features to features, of which images (B, H, W, C), or spectrograms as a grid or a sequence
    (B, T, F), are changed; None where no change is asked for.

    Raises ConfigError where the features are neither.
    """
    if not config.active:
        return None
    import keras

    what, kinds = ("recordings", (GRID, SEQUENCE)) if config.of_recordings else ("images", (GRID,))
    kind = next(iter(features))
    if len(features) > 1 or kind not in kinds:
        raise ConfigError(
            f"trainer.augmentation changes {what}, but the features are a {' and a '.join(features)}. "
            "Set its values to 0."
        )
    given = keras.Input(features[kind].shape[1:], name=kind)
    changed = _spectrograms(config, _images(config, given))
    return keras.Model({kind: given}, {kind: changed}, name="augmentation")


def _images(config: AugmentationConfig, x: "keras.KerasTensor") -> "keras.KerasTensor":
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


def _spectrograms(config: AugmentationConfig, x: "keras.KerasTensor") -> "keras.KerasTensor":
    """Changes of (B, T, F, 1) or (B, T, F)."""
    import keras

    from pipeline.model.masking import Mask

    shape = x.shape[1:]
    if config.shift_time:
        grid = keras.layers.Reshape((*shape[:2], 1))(x)
        shifted = keras.layers.RandomTranslation(config.shift_time, 0.0, fill_mode="nearest")(grid)
        x = keras.layers.Reshape(shape)(shifted)
    for axis, share in ((1, config.mask_time), (2, config.mask_bands)):
        if share:
            x = Mask(axis, share, config.masks)(x)
    return x
