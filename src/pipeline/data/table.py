"""Raw rows in memory, as a source gives them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.config import REGRESSION
from pipeline.data.schema import Feature
from pipeline.errors import DataError


@dataclass(frozen=True)
class Table:
    """`inputs[name]` is (N, *feature.shape); `target` is (N,), float for regression, else a class index."""

    features: list[Feature]
    inputs: dict[str, NDArray[np.float32]]
    target: NDArray[Any]
    target_name: str
    classes: list[str]

    @property
    def num_rows(self) -> int:
        return len(self.target)

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
        if task != REGRESSION and len(set(self.target.tolist())) < 2:
            raise DataError(f"dataset {dataset}: every row is of one class, expected at least two classes.")
