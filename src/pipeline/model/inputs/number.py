"""Numbers are standardised by the mean and deviation of the training rows; the options of a column may ask for more
(`Curve`, and `robust`). A missing one counts as the mean, and a flag beside it says that it is missing, where that
happened in the training rows."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.config import PreprocessingConfig
from pipeline.data.moments import as_tensorflow_reads, mean_and_deviation, stretch
from pipeline.data.schema import Column
from pipeline.data.types.number import ROBUST, NumberColumn
from pipeline.model.inputs.curves import Curve, bend, curve_of, needs_sample
from pipeline.model.inputs.input import MISSING, Arrays, Chunks, Input, Tensor, flag, side_by_side, with_missing
from pipeline.model.inputs.scaling import rescale
from pipeline.model.kinds import VECTOR, Feature

if TYPE_CHECKING:
    import keras

Array = NDArray[np.float64]
MOST_SAMPLED = 100_000  # rows of which quantiles are taken


@dataclass(frozen=True)
class Moments:
    """What columns are standardised by: mean and deviation (D,) of their values, after their curves and with missing
    ones as the mean; for `scale: robust` the median and the distance of the quartiles. `missing_D` are the shares of
    missing ones, and `curves` has None for a column that is only standardised. `standardize` says whether it is."""

    center_D: Array
    spread_D: Array
    missing_D: Array
    curves: list[Curve | None]
    standardize: bool


class NumberInput(Input):
    gives = (VECTOR,)
    name = "number"

    def tensors(self, column: Column) -> dict[str, Tensor]:
        return {column.name: Tensor((1,), "float64")} | flag(column)

    def collate(self, column: Column, values: pa.Array) -> Arrays:
        return with_missing(column, values, {column.name: numbers(values)[:, np.newaxis]})

    def fit(self, config: PreprocessingConfig, columns: list[Column], chunks: Chunks) -> Moments:
        names = [column.name for column in columns]
        present_D, num_rows = np.zeros(len(names)), 0
        for table in chunks():
            present_D += [table.num_rows - table[name].null_count for name in names]
            num_rows += table.num_rows
        sample = _sample(chunks, [column.name for column in columns if needs_sample(column)], num_rows)
        curves = [curve_of(column, sample.get(column.name, np.zeros(1))) for column in columns]
        # Where nothing is missing, the moments are those of plain columns, to the last bit.
        if (present_D == num_rows).all():
            center_D, spread_D = mean_and_deviation(lambda: (matrix(table, names, curves) for table in chunks()))
        else:
            parts = [
                mean_and_deviation(partial(_present, chunks, *column)) for column in zip(names, curves, strict=True)
            ]
            center_D, of_present_D = (np.array([part[i] for part in parts]) for i in (0, 1))
            spread_D = of_present_D * np.sqrt(present_D / num_rows)
        for i, column in enumerate(columns):
            if isinstance(column.config, NumberColumn) and column.config.scale == ROBUST:
                center_D[i], spread_D[i] = _median_and_quartiles(sample[column.name], curves[i], spread_D[i])
        return Moments(center_D, spread_D, 1 - present_D / num_rows, curves, config.standardize)

    def apply(
        self, kind: str, columns: list[Column], fitted: Moments, tensors: "dict[str, keras.KerasTensor]"
    ) -> Feature:
        return Feature(self.standardized(columns, fitted, tensors))

    def standardized(
        self, columns: list[Column], fitted: Moments, tensors: "dict[str, keras.KerasTensor]"
    ) -> "keras.KerasTensor":
        """Features (B, D), the columns without missing values first, and then the flags (B, F)."""
        order = np.argsort([column.nullable for column in columns], kind="stable")
        x = bend(self._filled(columns, fitted, tensors), [fitted.curves[i] for i in order])
        return self._with_flags(self._standardized(x, fitted, order), columns, fitted, tensors)

    def _filled(
        self, columns: list[Column], fitted: Moments, tensors: "dict[str, keras.KerasTensor]"
    ) -> "keras.KerasTensor":
        """The columns (B, D) in float64. Missing values are those that become the mean."""
        import keras

        usual = zip(fitted.center_D, fitted.curves, strict=True)
        usual_D = np.array([curve.inverse(center) if curve else center for center, curve in usual])
        nullable = np.array([column.nullable for column in columns])
        parts = []
        for missing in (False, True):
            some = np.flatnonzero(nullable == missing)
            if not len(some):
                continue
            x = side_by_side([tensors[columns[i].name] for i in some], f"{self.name}s{MISSING[1:] * missing}")
            if missing:
                flags = side_by_side([tensors[columns[i].name + MISSING] for i in some], f"{self.name}_flags")
                fill = keras.layers.Rescaling(
                    usual_D[some], 0.0 * usual_D[some], dtype="float64", name=f"{self.name}_means"
                )
                x = keras.layers.Add(dtype="float64", name=f"{self.name}s_filled")([x, fill(flags)])
            parts.append(x)
        return side_by_side(parts, f"{self.name}s_all")

    def _standardized(self, x: "keras.KerasTensor", fitted: Moments, order: NDArray[np.intp]) -> "keras.KerasTensor":
        """Columns (B, D), which are in this order, in float32."""
        import keras

        if not fitted.standardize:
            return keras.layers.Identity(dtype="float32", name=f"{self.name}s_as_they_are")(x)
        scale_D = 1 / stretch(fitted.spread_D[order])
        return rescale(x, scale_D, -fitted.center_D[order] * scale_D, f"standardize_{self.name}s")

    def _with_flags(
        self,
        x: "keras.KerasTensor",
        columns: list[Column],
        fitted: Moments,
        tensors: "dict[str, keras.KerasTensor]",
    ) -> "keras.KerasTensor":
        """Features (B, D), and flags (B, F) of the columns that had missing values in the training rows."""
        seen = [i for i, column in enumerate(columns) if column.nullable and fitted.missing_D[i] > 0]
        if not seen:
            return x
        share_F = fitted.missing_D[seen]
        flags = side_by_side([tensors[columns[i].name + MISSING] for i in seen], f"{self.name}_flags_seen")
        # the deviation of a flag is that of a coin
        scale_F = 1 / stretch(np.sqrt(share_F * (1 - share_F))) if fitted.standardize else np.ones(len(seen))
        offset_F = -share_F * scale_F if fitted.standardize else np.zeros(len(seen))
        return side_by_side([x, rescale(flags, scale_F, offset_F, f"{self.name}_missing")], f"{self.name}s_and_flags")


def numbers(values: pa.Array) -> Array:
    """Values (N,) as float64, 0 where they are missing."""
    found: Array = values.cast(pa.float64()).fill_null(0.0).to_numpy(zero_copy_only=False)
    return found


def matrix(table: pa.Table, names: list[str], curves: list[Curve | None]) -> Array:
    """Columns side by side (N, D), as TensorFlow reads them, after their curves."""
    found = as_tensorflow_reads(np.stack([numbers(table[name].combine_chunks()) for name in names], axis=1))
    for i, curve in enumerate(curves):
        if curve is not None:
            found[:, i] = curve(found[:, i])
    return found


def _present(chunks: Chunks, name: str, curve: Curve | None) -> Iterator[Array]:
    """The values of a column that are there, in parts and after its curve; a single 0 if there are none."""
    found = False
    for table in chunks():
        values = as_tensorflow_reads(numbers(table[name].combine_chunks().drop_null()))
        if len(values):
            found = True
            yield values if curve is None else curve(values)
    if not found:
        yield np.zeros(1)


def _sample(chunks: Chunks, names: list[str], num_rows: int) -> dict[str, Array]:
    """The values of columns that are there (S,), of at most MOST_SAMPLED rows that lie evenly among all rows; a single
    0 if there are none."""
    if not names:
        return {}
    step, done = -(-num_rows // MOST_SAMPLED), 0
    parts: dict[str, list[Array]] = {name: [] for name in names}
    for table in chunks():
        chosen = table.select(names).take(np.arange(-done % step, table.num_rows, step))
        done += table.num_rows
        for name in names:
            parts[name].append(as_tensorflow_reads(numbers(chosen[name].combine_chunks().drop_null())))
    joined = {name: np.concatenate(values) for name, values in parts.items()}
    return {name: values if len(values) else np.zeros(1) for name, values in joined.items()}


def _median_and_quartiles(sample: Array, curve: Curve | None, deviation: float) -> tuple[float, float]:
    """The median and the distance of the quartiles; where these are equal, the deviation."""
    low, median, high = np.quantile(sample if curve is None else curve(sample), [0.25, 0.5, 0.75])
    return float(median), float(high - low) or deviation
