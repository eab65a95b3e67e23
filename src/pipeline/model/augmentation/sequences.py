"""Random changes of sequences."""

from typing import TYPE_CHECKING

from pipeline.config import AugmentationConfig
from pipeline.data.schema import Column
from pipeline.data.types.sequence import STRANDED, SequenceColumn
from pipeline.errors import ConfigError

if TYPE_CHECKING:
    import keras


def change(config: AugmentationConfig, column: Column, x: "keras.KerasTensor") -> "keras.KerasTensor":
    """Changes of letters (B, T, C). Raises ConfigError where they have no complements."""
    from pipeline.model.augmentation.strands import ReverseComplement

    of = column.config
    assert isinstance(of, SequenceColumn)
    if of.letters or of.alphabet not in STRANDED:
        name = f"letters of your own ({of.letters})" if of.letters else f"the alphabet {of.alphabet}"
        raise ConfigError(
            f"trainer.augmentation.reverse_complement: column '{column.name}' has {name}, without complements; "
            f"expected {' or '.join(STRANDED)}. Set it to false."
        )
    return ReverseComplement()(x)
