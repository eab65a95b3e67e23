"""`x * scale + offset` as Keras layers, for any finite float32 input."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

if TYPE_CHECKING:
    import keras


def rescale(x: "keras.KerasTensor", scale: ArrayLike, offset: ArrayLike, name: str) -> "keras.KerasTensor":
    """Multiply a float32 tensor (B, ..., D) by `scale` and add `offset`. Each is one number, or one for each of D
    columns.

    The product is taken in float64 and its result is float32 again. In float32, a scale such as 1e40 (of a column whose
    deviation is 1e-40) would be infinite, and `x * scale + offset` would cancel where a column's mean is large against
    its deviation.
    """
    import keras

    # They must be arrays with an axis. Keras passes plain numbers, and also arrays without an axis, through float32
    # before it casts them to the layer's own type.
    by, to = (np.atleast_1d(np.asarray(values, np.float64)) for values in (scale, offset))
    x = keras.layers.Rescaling(by, to, dtype="float64", name=f"{name}_in_float64")(x)
    return keras.layers.Identity(dtype="float32", name=name)(x)
