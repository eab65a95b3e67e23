"""What a model family is."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.config import ModelConfig
from pipeline.model.kinds import Features

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class Family:
    """A family turns features into a representation; the task's head does the rest.

    `config` is the dataclass of the family's configuration. `build(config, features)` turns the features, by kind, into
    the representation (B, D). `accepts` are the kinds of features that the family takes (model/kinds.py), and `tasks`
    are the names of the tasks that it can answer. A `convex` model has one minimum and needs no random start,
    so its head starts from 0. The weight of a column that is constant in training then stays 0, so that a new value in
    that column changes no answer.

    For example, a family that takes the mean of a sequence over its time steps (Iyyer et al. 2015)::

        @dataclass
        class AverageConfig(ModelConfig):
            units: int = 64

        def build(config: AverageConfig, features: Features) -> "keras.KerasTensor":
            import keras

            x = keras.layers.GlobalAveragePooling1D(name="mean_over_steps")(only(features))
            return keras.layers.Dense(config.units, "relu", name="hidden")(x)

        FAMILY = Family(AverageConfig, build, accepts=(SEQUENCE,), tasks=tuple(TASKS))
    """

    config: type[ModelConfig]
    build: "Callable[[Any, Features], keras.KerasTensor]"
    accepts: tuple[str, ...]
    tasks: tuple[str, ...]
    convex: bool = False
