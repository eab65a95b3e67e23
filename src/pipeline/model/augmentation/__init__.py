"""Random changes of training images and spectrograms, as Keras layers that the trainers put before the core.

They are never a part of the model that is served.
"""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from pipeline.config import AugmentationConfig
from pipeline.errors import ConfigError
from pipeline.model.augmentation import images, recordings
from pipeline.model.kinds import GRID, SEQUENCE

if TYPE_CHECKING:
    import keras


Change = Callable[[AugmentationConfig, "keras.KerasTensor"], "keras.KerasTensor"]
# What changes the features of each type, if anything does.
AUGMENTATIONS: dict[str, Change | None] = {
    "audio": recordings.change,
    "boolean": None,
    "category": None,
    "date": None,
    "datetime": None,
    "image": images.change,
    "number": None,
    "sequence": None,
    "series": None,
    "text": None,
}


def build_augmentation(
    config: AugmentationConfig, features: "dict[str, keras.KerasTensor]", types: Iterable[str]
) -> "keras.Model | None":
    """A model that maps features to features, of which images (B, H, W, C), or spectrograms as a grid or a sequence
    (B, T, F), are changed; None where no change is asked for. `types` are those of the columns.

    Raises ConfigError where the features are neither.
    """
    if not config.active:
        return None
    import keras

    what, kinds = ("recordings", (GRID, SEQUENCE)) if config.of_recordings else ("images", (GRID,))
    kind = next(iter(features))
    changes = [change for change in map(AUGMENTATIONS.get, types) if change is not None]
    if len(features) > 1 or kind not in kinds or not changes:
        raise ConfigError(
            f"trainer.augmentation changes {what}, but the features are a {' and a '.join(features)}. "
            "Set its values to 0."
        )
    given = keras.Input(features[kind].shape[1:], name=kind)
    changed = given
    for change in changes:
        changed = change(config, changed)
    return keras.Model({kind: given}, {kind: changed}, name="augmentation")
