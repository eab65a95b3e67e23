"""Random changes of sequences."""

from typing import TYPE_CHECKING

from pipeline.config import AugmentationConfig
from pipeline.data.schema import Column
from pipeline.data.types.sequence import STRANDED, SequenceColumn
from pipeline.errors import ConfigError
from pipeline.model.augmentation.augmentation import Augmentation
from pipeline.model.kinds import LETTERS

if TYPE_CHECKING:
    import keras


def change(config: AugmentationConfig, columns: list[Column], x: "keras.KerasTensor") -> "keras.KerasTensor":
    """Changes of letters (B, T, C). Raises ConfigError where they are to have complements, but have none."""
    from pipeline.model.augmentation.letters import Shift, Substitute
    from pipeline.model.augmentation.strands import ReverseComplement

    if config.reverse_complement:
        (column,) = columns
        _check_strands(column)
        x = ReverseComplement()(x)
    if config.shift_letters:
        x = Shift(config.shift_letters)(x)
    if config.substitute:
        x = Substitute(config.substitute)(x)
    return x


def _check_strands(column: Column) -> None:
    of = column.config
    assert isinstance(of, SequenceColumn)
    if of.letters or of.alphabet not in STRANDED:
        name = f"letters of your own ({of.letters})" if of.letters else f"the alphabet {of.alphabet}"
        raise ConfigError(
            f"trainer.augmentation.reverse_complement: column '{column.name}' has {name}, without complements; "
            f"expected {' or '.join(STRANDED)}. Set it to false."
        )


AUGMENTATION = Augmentation(("reverse_complement", "shift_letters", "substitute"), (LETTERS,), change)
