"""What happens to the values of a number column before they are standardised: they are clipped, and turned into their
logarithm or their rank, as the column's options say.

Each step is there twice: in NumPy, so that mean and deviation of its result can be learned, and in Keras, for the
served graph. All of it is in float64.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pipeline.data.schema import Column
from pipeline.data.types.number import LOG, QUANTILE, ROBUST, NumberColumn

if TYPE_CHECKING:
    import keras

Array = NDArray[np.float64]
LARGEST = float(np.finfo(np.float64).max)
BLOCK = 8  # columns whose ranks are computed together, which takes a number for each of their knots
KNOTS = 101  # ranks are exact at every hundredth of the training rows, and between them on a straight line


@dataclass(frozen=True)
class Curve:
    """Values below `low` and above `high` become these. Then `log` turns x into sign(x) log(1 + |x|), which is there
    for negative numbers too; or `knots` (K,), if there are any, have `ranks` (K,), and other values lie between."""

    low: float
    high: float
    log: bool
    knots: Array
    ranks: Array

    def __call__(self, values: Array) -> Array:
        values = np.clip(values, self.low, self.high)
        if self.log:
            return np.sign(values) * np.log1p(np.abs(values))
        return np.interp(values, self.knots, self.ranks) if len(self.knots) else values

    def inverse(self, result: float) -> float:
        """A value that the curve turns into `result`."""
        if self.log:
            return float(np.sign(result) * np.expm1(np.abs(result)))
        return float(np.interp(result, self.ranks, self.knots)) if len(self.knots) else result


def needs_sample(column: Column) -> bool:
    """Whether the options of a column ask for quantiles of its training values."""
    config = column.config
    return isinstance(config, NumberColumn) and (config.scale in (ROBUST, QUANTILE) or config.clip is not None)


def curve_of(column: Column, sample: Array) -> Curve | None:
    """The curve of a column, from a sample (S,) of its training values; None if nothing happens."""
    config = column.config
    if not isinstance(config, NumberColumn) or (config.clip is None and config.scale not in (LOG, QUANTILE)):
        return None
    low, high, knots, ranks = -LARGEST, LARGEST, np.zeros(0), np.zeros(0)
    if config.clip is not None:
        low, high = np.quantile(sample, [config.clip, 1 - config.clip])
    if config.scale == QUANTILE:
        shares = np.linspace(0, 1, KNOTS)
        # Equal values have one rank, the mean of theirs.
        knots, place = np.unique(np.quantile(np.clip(sample, low, high), shares), return_inverse=True)
        ranks = np.bincount(place, shares) / np.bincount(place)
    return Curve(float(low), float(high), config.scale == LOG, knots, ranks)


def bend(x: "keras.KerasTensor", curves: list[Curve | None]) -> "keras.KerasTensor":
    """The curves of columns (B, D) in the served graph."""
    from keras import ops

    clipped = [(curve.low, curve.high) if curve else (-LARGEST, LARGEST) for curve in curves]
    if any(bounds != (-LARGEST, LARGEST) for bounds in clipped):
        low_D, high_D = np.array(clipped).T
        x = ops.maximum(ops.minimum(x, high_D), low_D)
    log_D = np.array([curve is not None and curve.log for curve in curves])
    if log_D.any():
        x = ops.where(log_D, ops.sign(x) * ops.log1p(ops.abs(x)), x)
    ranked = {i: curve for i, curve in enumerate(curves) if curve is not None and len(curve.knots)}
    if not ranked:
        return x
    blocks = [list(ranked)[i : i + BLOCK] for i in range(0, len(ranked), BLOCK)]
    ranks = ops.concatenate(
        [_ranks(ops.take(x, block, axis=1), [ranked[i] for i in block]) for block in blocks], axis=1
    )
    places = [len(curves) + list(ranked).index(i) if i in ranked else i for i in range(len(curves))]
    return ops.take(ops.concatenate([x, ranks], axis=1), places, axis=1)


def _ranks(x: "keras.KerasTensor", curves: list[Curve]) -> "keras.KerasTensor":
    """The ranks of columns (B, Q). Each is a sum of ramps, from one knot to the next, as high as the ranks rise."""
    from keras import ops

    shape = (len(curves), max(len(curve.knots) for curve in curves))
    from_QK, width_QK, rise_QK = np.zeros(shape), np.ones(shape), np.zeros(shape)
    for i, curve in enumerate(curves):
        ramps = slice(0, len(curve.knots) - 1)
        from_QK[i, ramps] = curve.knots[:-1]
        width_QK[i, ramps] = np.maximum(np.diff(curve.knots), np.finfo(np.float64).tiny)
        rise_QK[i, ramps] = np.diff(curve.ranks)
    first_Q = np.array([curve.ranks[0] for curve in curves])
    ramps_BQK = ops.clip((ops.expand_dims(x, -1) - from_QK) / width_QK, 0.0, 1.0)
    return ops.sum(ramps_BQK * rise_QK, axis=-1) + first_Q
