"""What a family is."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.config import ModelConfig

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class Family:
    """A family turns features into a representation; the task's head does the rest.

    `config` is the dataclass of its configuration, of which `build(config, features)` makes the representation (B, D)
    of a Keras tensor. `accepts` are the kinds of features that it takes (model/kinds.py), and `tasks` what it answers.
    A `convex` model has one minimum and needs no random start: its head starts from 0, where the weight of a column
    that is constant in training stays, so that a new value there says nothing.

    A multilayer perceptron, for example, in a file of its own::

        @dataclass
        class MlpConfig(ModelConfig):
            units: int = 64

        def build(config: MlpConfig, features: "keras.KerasTensor") -> "keras.KerasTensor":
            x = keras.layers.Flatten(name="flatten")(features)
            return keras.layers.Dense(config.units, "relu", name="hidden")(x)

        FAMILY = Family(MlpConfig, build, accepts=(VECTOR, SEQUENCE, GRID), tasks=tuple(TASKS))
    """

    config: type[ModelConfig]
    build: "Callable[[Any, keras.KerasTensor], keras.KerasTensor]"
    accepts: tuple[str, ...]
    tasks: tuple[str, ...]
    convex: bool = False
