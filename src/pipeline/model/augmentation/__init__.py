"""Random changes of training images, spectrograms and sequences, as Keras layers that the trainers put before the core.

They are never a part of the model that is served.
"""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from pipeline.config import AugmentationConfig
from pipeline.data.schema import Column
from pipeline.errors import ConfigError
from pipeline.model.augmentation import images, recordings, sequences
from pipeline.model.kinds import GRID, LETTERS, SEQUENCE

if TYPE_CHECKING:
    import keras


Change = Callable[[AugmentationConfig, Column, "keras.KerasTensor"], "keras.KerasTensor"]
# What changes the features of a type. Those of types without an entry stay as they are.
AUGMENTATIONS: dict[str, Change] = {
    "audio": recordings.change,
    "image": images.change,
    "sequence": sequences.change,
}


def build_augmentation(
    config: AugmentationConfig, features: "dict[str, keras.KerasTensor]", columns: Iterable[Column]
) -> "keras.Model | None":
    """A model that maps features to features, of which images (B, H, W, C), spectrograms as a grid or a sequence
    (B, T, F), or letters (B, T, C) are changed; None where no change is asked for. `columns` are those of the features.

    Raises ConfigError where the features are not what is to be changed.
    """
    if not config.active:
        return None
    import keras

    what, kinds = ("recordings", (GRID, SEQUENCE)) if config.of_recordings else ("images", (GRID,))
    what, kinds = ("sequences", (LETTERS,)) if config.of_sequences else (what, kinds)
    kind = next(iter(features))
    some = (column for column in columns if column.config.type in AUGMENTATIONS)
    changes = [(column, AUGMENTATIONS[column.config.type]) for column in some]
    if len(features) > 1 or kind not in kinds or not changes:
        raise ConfigError(
            f"trainer.augmentation changes {what}, but the features are a {' and a '.join(features)}. "
            "Set its values to 0."
        )
    given = keras.Input(features[kind].shape[1:], name=kind)
    changed = given
    for column, change in changes:
        changed = change(config, column, changed)
    return keras.Model({kind: given}, {kind: changed}, name="augmentation")
