"""Random changes of training rows, as Keras layers that the trainers put before the core.

They are never a part of the model that is served.
"""

from typing import TYPE_CHECKING

from pipeline.config import AugmentationConfig
from pipeline.data.schema import Schema
from pipeline.model.augmentation import images, numbers, recordings, sequences, series, texts
from pipeline.model.augmentation.augmentation import Augmentation
from pipeline.model.kinds import Feature, Features

if TYPE_CHECKING:
    import keras


# What changes the features of a type. Those of types without an entry stay as they are.
AUGMENTATIONS: dict[str, Augmentation] = {
    "audio": recordings.AUGMENTATION,
    "image": images.AUGMENTATION,
    "number": numbers.AUGMENTATION,
    "sequence": sequences.AUGMENTATION,
    "series": series.AUGMENTATION,
    "text": texts.AUGMENTATION,
}


def build_augmentation(config: AugmentationConfig, features: Features, schema: Schema) -> "keras.Model | None":
    """A model that maps features to features, those of each type changed as its entry says; None where no change is
    asked for.

    matching.py refuses changes of what is not there. Raises ConfigError for what only the schema tells.
    """
    if not config.active:
        return None
    import keras

    given = {
        kind: keras.Input(feature.tensor.shape[1:], dtype=feature.tensor.dtype, name=kind)
        for kind, feature in features.items()
    }
    changed = {kind: _changed(config, feature, given[kind], schema) for kind, feature in features.items()}
    return keras.Model(given, changed, name="augmentation")


def _changed(
    config: AugmentationConfig, feature: Feature, x: "keras.KerasTensor", schema: Schema
) -> "keras.KerasTensor":
    """The features x of one kind, in which those of several types lie side by side."""
    import keras

    start, parts = 0, []
    for name, width in feature.widths.items():
        part = x if len(feature.widths) == 1 else x[..., start : start + width]
        start += width
        if name in AUGMENTATIONS and AUGMENTATIONS[name].asked(config):
            part = AUGMENTATIONS[name].change(config, schema.of_type(name), part)
        parts.append(part)
    return keras.layers.Concatenate(dtype=x.dtype)(parts) if len(parts) > 1 else parts[0]
