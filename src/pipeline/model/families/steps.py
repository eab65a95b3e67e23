"""Tokens and letters as a sequence of vectors. What fills up a text or a sequence must not change an answer."""

from typing import TYPE_CHECKING

from pipeline.model.kinds import LETTERS, TOKENS, Features, only

if TYPE_CHECKING:
    import keras


def steps(features: Features, width: int) -> "tuple[keras.KerasTensor, keras.KerasTensor | None]":
    """A sequence or grid as it is, and None; or the embeddings (B, T, width) of tokens, or letters as they are, and
    (B, T, 1), which is 1 for each token or letter and 0 for what fills up the others. There, all values are 0."""
    import keras

    if LETTERS in features:
        x = features[LETTERS].tensor
        return x, keras.ops.cast(keras.ops.any(keras.ops.not_equal(x, 0), axis=-1, keepdims=True), x.dtype)
    if TOKENS not in features:
        return only(features), None
    tokens = features[TOKENS]
    x = keras.layers.Embedding(tokens.sizes[0], width, name="embedding")(tokens.tensor)
    real_BT1 = keras.ops.expand_dims(keras.ops.cast(keras.ops.not_equal(tokens.tensor, 0), x.dtype), -1)
    return x * real_BT1, real_BT1


def mean_of_real(x: "keras.KerasTensor", real_BT1: "keras.KerasTensor") -> "keras.KerasTensor":
    """The mean of x (B, T, D) over the places that are real, 0 where there are none."""
    from keras import ops

    return ops.sum(x * real_BT1, axis=1) / ops.maximum(ops.sum(real_BT1, axis=1), 1)


def last_real(x: "keras.KerasTensor", real_BT1: "keras.KerasTensor") -> "keras.KerasTensor":
    """x (B, T, D) at the last place that is real, 0 where there is none."""
    from keras import ops

    follows = ops.pad(real_BT1[:, 1:], [[0, 0], [0, 1], [0, 0]])
    return ops.sum(x * (real_BT1 * (1 - follows)), axis=1)


def reversed_steps(x: "keras.KerasTensor", real_BT1: "keras.KerasTensor") -> "keras.KerasTensor":
    """x (B, T, D) with its real places in reverse order; the others stay where they are."""
    from keras import ops

    places_T1 = ops.expand_dims(ops.arange(x.shape[1]), -1)
    real = ops.cast(real_BT1, "int32")
    last_B11 = ops.sum(real, axis=1, keepdims=True) - 1
    return ops.take_along_axis(x, ops.where(real > 0, last_B11 - places_T1, places_T1), axis=1)
