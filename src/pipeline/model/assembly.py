"""The model as one graph: served(raw) = output(core(preprocess(raw))).

Training and serving share its parts, so nothing can differ between them.
"""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pipeline.config import Config
from pipeline.data.schema import Schema
from pipeline.data.unusual import largest_number
from pipeline.errors import DataError
from pipeline.model.families import FAMILIES
from pipeline.model.heads import Head
from pipeline.model.inputs.features import as_tensors, build_features, collate, schema_taken, tensors_of
from pipeline.model.inputs.input import Arrays
from pipeline.model.kinds import Feature, Features

if TYPE_CHECKING:
    import keras

    from pipeline.data.prepared import AnySplit, Split


@dataclass(frozen=True)
class Assembled:
    """`preprocess` maps raw inputs to features, `core` maps features to raw outputs, and `served` raw inputs to
    answers. Features are a dict of tensors by their kind; `features` says more of those that `core` takes."""

    preprocess: "keras.Model"
    core: "keras.Model"
    served: "keras.Model"
    head: Head
    schema: Schema
    features: Features

    def feature_chunks(self, split: "AnySplit") -> Iterator[Arrays]:
        """The features (n, ...) of a split's rows, chunk by chunk; `core` trains on them, and they are made only once.

        Raises DataError for a row whose features float32 cannot hold.
        """
        for chunk in split.chunks():
            # The model is called, because `predict` would answer once for each replica under a distribution strategy.
            made = self.preprocess(as_tensors(collate(self.schema, chunk.table)), training=False)
            features = {name: np.asarray(tensor) for name, tensor in made.items()}
            for values in features.values():
                if not np.isfinite(values).all():
                    raise _not_finite(chunk, values)
            yield features


def raw_inputs(schema: Schema) -> "dict[str, keras.KerasTensor]":
    """A Keras input for each collated tensor, by the tensor's name.

    The inputs themselves have names of ours. Keras refuses slashes in them, but a feature may be called km/h, and one
    may be called as one of our layers is.
    """
    import keras

    return {
        key: keras.Input(shape=tensor.shape, dtype=tensor.dtype, name=f"input_{i}")
        for i, (key, tensor) in enumerate(tensors_of(schema).items())
    }


def by_feature(raw: "dict[str, keras.KerasTensor]", outputs: Any, name: str) -> "keras.Model":
    """A model that takes its inputs by the names of the features."""
    import keras

    with warnings.catch_warnings():
        # Keras warns where the key of an input is not its name.
        warnings.filterwarnings("ignore", "When providing `inputs` as a dict")
        return keras.Model(raw, outputs, name=name)


def _core_input(kind: str, feature: Feature) -> "keras.KerasTensor":
    import keras

    return keras.Input(shape=feature.tensor.shape[1:], dtype=feature.tensor.dtype, name=kind)


def _not_finite(chunk: "Split", features: NDArray[Any]) -> DataError:
    """The error for the first row of which a feature is not finite, with the largest number in that row."""
    row = int(np.argwhere(~np.isfinite(features))[0][0])
    name, value = largest_number(chunk.table.slice(row, 1))
    return DataError(
        f"row {chunk.rows[row]} has no finite features: in that row, '{name}' is {value:g}. "
        "Mend or drop such rows in the source."
    )


def assemble(config: Config, schema: Schema, train: "AnySplit") -> Assembled:
    """Build the model of an experiment; preprocessing and head learn their constants from `train`."""
    import keras

    schema = schema_taken(config.preprocessing, schema)
    raw = raw_inputs(schema)
    family = FAMILIES[config.model.family]
    made = build_features(config.preprocessing, schema, raw, train, family.accepts)
    preprocess = by_feature(raw, {kind: feature.tensor for kind, feature in made.items()}, "preprocess")
    features = {kind: replace(feature, tensor=_core_input(kind, feature)) for kind, feature in made.items()}
    # Only the family computes in `trainer.precision`. What stands before and after it stays float32, so that features
    # and answers keep their precision.
    keras.config.set_dtype_policy(config.trainer.precision)
    representation = family.build(config.model, features)
    keras.config.set_dtype_policy("float32")
    head = Head.of(schema, train.target, config.preprocessing.standardize)
    penalty = keras.regularizers.L2(config.model.l2) if config.model.l2 else None
    start = "zeros" if family.convex else "glorot_uniform"
    dense = keras.layers.Dense(head.num_outputs, kernel_regularizer=penalty, kernel_initializer=start, name="head")
    outputs = dense(representation)
    core = keras.Model({kind: feature.tensor for kind, feature in features.items()}, outputs, name="core")
    served = by_feature(raw, head.served_output(core(preprocess(raw))), "served")
    return Assembled(preprocess, core, served, head, schema, features)
