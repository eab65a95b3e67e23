"""Random changes of texts."""

from typing import TYPE_CHECKING

from pipeline.config import AugmentationConfig
from pipeline.data.schema import Column
from pipeline.model.augmentation.augmentation import Augmentation
from pipeline.model.kinds import TOKENS

if TYPE_CHECKING:
    import keras


def change(config: AugmentationConfig, columns: list[Column], x: "keras.KerasTensor") -> "keras.KerasTensor":
    """Changes of tokens (B, T)."""
    from pipeline.model.augmentation.tokens import WordDropout

    return WordDropout(config.word_dropout)(x) if config.word_dropout else x


AUGMENTATION = Augmentation(("word_dropout",), (TOKENS,), change)
