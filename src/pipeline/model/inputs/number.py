"""Numbers are standardised by the mean and deviation of the training rows. A missing one counts as the mean, and a flag
beside it says that it is missing, where that happened in the training rows."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.config import PreprocessingConfig
from pipeline.data.moments import as_tensorflow_reads, mean_and_deviation, stretch
from pipeline.data.schema import Column
from pipeline.model.inputs.input import MISSING, Chunks, Input, Tensor, flag, side_by_side, with_missing
from pipeline.model.inputs.scaling import rescale
from pipeline.model.kinds import VECTOR

if TYPE_CHECKING:
    import keras

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Moments:
    """Mean and deviation (D,) of the columns' values, with missing ones as the mean, and the share (D,) of missing
    ones. `standardize` says whether the features are standardised."""

    mean_D: Array
    deviation_D: Array
    missing_D: Array
    standardize: bool


class NumberInput(Input):
    gives = VECTOR
    name = "number"

    def tensors(self, column: Column) -> dict[str, Tensor]:
        return {column.name: Tensor((1,), "float64")} | flag(column)

    def collate(self, column: Column, values: pa.Array) -> dict[str, NDArray[Any]]:
        return with_missing(column, values, {column.name: numbers(values)[:, np.newaxis]})

    def fit(self, config: PreprocessingConfig, columns: list[Column], chunks: Chunks) -> Moments:
        names = [column.name for column in columns]
        present_D, num_rows = np.zeros(len(names)), 0
        for table in chunks():
            present_D += [table.num_rows - table[name].null_count for name in names]
            num_rows += table.num_rows
        # Where nothing is missing, the moments are those of plain columns, to the last bit.
        if (present_D == num_rows).all():
            mean_D, deviation_D = mean_and_deviation(lambda: (matrix(table, names) for table in chunks()))
        else:
            parts = [mean_and_deviation(partial(_present, chunks, name)) for name in names]
            mean_D, of_present_D = (np.array([part[i] for part in parts]) for i in (0, 1))
            deviation_D = of_present_D * np.sqrt(present_D / num_rows)
        return Moments(mean_D, deviation_D, 1 - present_D / num_rows, config.standardize)

    def apply(
        self, columns: list[Column], fitted: Moments, tensors: "dict[str, keras.KerasTensor]"
    ) -> "keras.KerasTensor":
        """Features (B, D), the columns without missing values first, and then the flags (B, F)."""
        import keras

        nullable = np.array([column.nullable for column in columns])
        order = np.argsort(nullable, kind="stable")
        parts = []
        for missing in (False, True):
            some = np.flatnonzero(nullable == missing)
            if not len(some):
                continue
            x = side_by_side([tensors[columns[i].name] for i in some], f"{self.name}s{MISSING[1:] * missing}")
            if missing:
                flags = side_by_side([tensors[columns[i].name + MISSING] for i in some], f"{self.name}_flags")
                fill = keras.layers.Rescaling(
                    fitted.mean_D[some], 0.0 * fitted.mean_D[some], dtype="float64", name=f"{self.name}_means"
                )
                x = keras.layers.Add(dtype="float64", name=f"{self.name}s_filled")([x, fill(flags)])
            parts.append(x)
        x = side_by_side(parts, f"{self.name}s_all")
        if fitted.standardize:
            scale_D = 1 / stretch(fitted.deviation_D[order])
            x = rescale(x, scale_D, -fitted.mean_D[order] * scale_D, f"standardize_{self.name}s")
        else:
            x = keras.layers.Identity(dtype="float32", name=f"{self.name}s_as_they_are")(x)
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


def matrix(table: pa.Table, names: list[str]) -> Array:
    """Columns side by side (N, D), as TensorFlow reads them."""
    return as_tensorflow_reads(np.stack([numbers(table[name].combine_chunks()) for name in names], axis=1))


def _present(chunks: Chunks, name: str) -> Iterator[Array]:
    """The values of a column that are there, in parts; a single 0 if there are none."""
    found = False
    for table in chunks():
        values = numbers(table[name].combine_chunks().drop_null())
        if len(values):
            found = True
            yield as_tensorflow_reads(values)
    if not found:
        yield np.zeros(1)
