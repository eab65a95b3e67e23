"""Raw rows in memory, in the form in which a source gives them."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.data.moments import as_tensorflow_reads, mean_and_deviation
from pipeline.data.schema import Feature
from pipeline.errors import DataError, did_you_mean
from pipeline.tasks import TASKS


@dataclass(frozen=True)
class Table:
    """`inputs[name]` is (N, *feature.shape) and `target` (N,): floats for regression, class indices for other tasks.
    `classes` names the classes, and is empty for a regression. `weight` is (N,) or None."""

    features: list[Feature]
    inputs: dict[str, NDArray[np.float32]]
    target: NDArray[Any]
    target_name: str
    classes: list[str]
    weight: NDArray[np.float32] | None = None

    @property
    def num_rows(self) -> int:
        return len(self.target)

    def weighted_by(self, dataset: str, column: str) -> "Table":
        """The same rows, with the numeric feature `column` as their weights. It is then no feature any more."""
        numeric = [feature.name for feature in self.features if not feature.shape]
        if column not in numeric:
            raise DataError(
                f"dataset {dataset}: weight '{column}' is no numeric column {did_you_mean(column, numeric)}"
            )
        weight = self.inputs[column]
        if not (np.isfinite(weight).all() and (weight >= 0).all() and weight.any()):
            raise DataError(f"dataset {dataset}: weight '{column}' must be finite, 0 or more, and not all 0.")
        features = [feature for feature in self.features if feature.name != column]
        inputs = {name: values for name, values in self.inputs.items() if name != column}
        return replace(self, features=features, inputs=inputs, weight=weight)

    def constant_columns(self, chosen: NDArray[np.bool_]) -> list[str]:
        """The numeric features that have a single value in all rows where `chosen` (N,) is true, as TensorFlow reads
        them."""

        def is_constant(name: str) -> bool:
            values = as_tensorflow_reads(self.inputs[name][chosen])
            return bool(mean_and_deviation(lambda: [values])[1] == 0)

        return [feature.name for feature in self.features if not feature.shape and is_constant(feature.name)]

    def check(self, dataset: str, task: str) -> None:
        """Raise DataError for rows that no model can learn from."""
        if self.num_rows == 0:
            raise DataError(f"dataset {dataset}: found 0 rows, expected at least one.")
        named = [*self.inputs.items(), (self.target_name, self.target)]
        for name, values in named:
            bad = ~np.isfinite(values.reshape(self.num_rows, -1)).all(axis=1)
            if bad.any():
                raise DataError(
                    f"dataset {dataset}: column '{name}' holds NaN or infinity in {bad.sum()} rows, first in row "
                    f"{int(bad.argmax())}. Expected finite numbers; mend or drop these rows."
                )
        if wrong := TASKS[task].check_target(self.target, self.target_name, self.classes):
            raise DataError(f"dataset {dataset}: {wrong}")
