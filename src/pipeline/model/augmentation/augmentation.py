"""What a random change of a type's training rows is."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.config import AugmentationConfig
from pipeline.data.schema import Column

if TYPE_CHECKING:
    import keras

Change = Callable[[AugmentationConfig, list[Column], "keras.KerasTensor"], "keras.KerasTensor"]


@dataclass(frozen=True)
class Augmentation:
    """`options` are the fields of AugmentationConfig that ask for it, and `kinds` are the kinds of features that it
    takes. `change(config, columns, x)` turns the features x of all columns of the type into changed ones of the same
    shape; what is not asked for leaves them as they are. It consists of layers that act in training only, each with a
    `seed_generator` (training/seeding.py).

    For example, a shift of the pitch of recordings, in a file of its own::

        def change(config: AugmentationConfig, columns: list[Column], x: "keras.KerasTensor") -> "keras.KerasTensor":
            from pipeline.model.augmentation.pitch import ShiftBands

            return ShiftBands(config.shift_pitch)(x) if config.shift_pitch else x

        AUGMENTATION = Augmentation(("shift_pitch",), (GRID, SEQUENCE), change)
    """

    options: tuple[str, ...]
    kinds: tuple[str, ...]
    change: Change

    def asked(self, config: AugmentationConfig) -> list[str]:
        """Those of the options that are asked for."""
        return [name for name in self.options if getattr(config, name)]
