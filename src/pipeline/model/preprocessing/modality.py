"""What the preprocessing of a modality (a kind of raw input, such as tables or images) is."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.config import PreprocessingConfig
from pipeline.data.schema import Schema

if TYPE_CHECKING:
    import keras

    from pipeline.data.prepared import AnySplit


@dataclass(frozen=True)
class Preprocessing:
    """`build(config, schema, inputs, train)` maps the raw Keras inputs, by the names of the features, to one feature
    tensor.

    `gives` is the kind of that tensor (model/kinds.py). What `build` learns from data, it must learn from `train`, the
    training split, alone. It returns Keras layers' outputs, so that all of it is saved in the served model.

    For example, one series (B, T) for each row, divided by the largest value in training, in a file of its own::

        def build(
            config: PreprocessingConfig, schema: Schema, inputs: "dict[str, keras.KerasTensor]", train: "AnySplit"
        ) -> "keras.KerasTensor":
            import keras

            (feature,) = schema.features
            largest = max(float(abs(chunk.inputs[feature.name]).max()) for chunk in train.chunks()) or 1.0
            x_BT = rescale(inputs[feature.name], 1.0 / largest, 0.0, "rescale")
            return keras.layers.Reshape((*feature.shape, 1), name="series")(x_BT)

        PREPROCESSING = Preprocessing(build, gives=SEQUENCE)
    """

    build: "Callable[[PreprocessingConfig, Schema, dict[str, keras.KerasTensor], AnySplit], keras.KerasTensor]"
    gives: str
