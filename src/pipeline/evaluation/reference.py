"""What a plain scikit-learn model and a constant guess reach on the same split, fitted on the training rows alone.

The scikit-learn model learns from MOST_ROWS of them at most: more would take minutes, and change its score by little.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.config import REGRESSION
from pipeline.data.prepared import Split
from pipeline.data.schema import Schema

Array = NDArray[np.float64]
MOST_ROWS = 50_000


def flat_inputs(split: Split, schema: Schema) -> Array:
    """Every raw input of a row in one line: (N, D)."""
    columns = [split.inputs[f.name].reshape(split.num_rows, -1) for f in schema.features]
    return np.concatenate(columns, axis=1).astype(np.float64)


def reference(schema: Schema, train: Split, test: Split) -> tuple[str, Array]:
    """Name and test predictions of LinearRegression (N,), or LogisticRegression on standardised inputs (N, K)."""
    from sklearn.linear_model import LinearRegression, LogisticRegression
    from sklearn.preprocessing import StandardScaler

    fit_on, ask = flat_inputs(train, schema), flat_inputs(test, schema)
    if schema.task == REGRESSION:
        return "LinearRegression", LinearRegression().fit(fit_on, train.target).predict(ask)
    scaler = StandardScaler().fit(fit_on)
    model = LogisticRegression(max_iter=1000).fit(scaler.transform(fit_on), train.target)
    return "LogisticRegression", model.predict_proba(scaler.transform(ask))


def baseline(schema: Schema, target: NDArray[Any], num_rows: int) -> tuple[str, Array]:
    """Name and `num_rows` predictions of the training rows' mean (N,), or of their classes' shares (N, K); `target` is
    that of all training rows."""
    if schema.task == REGRESSION:
        return "mean", np.full(num_rows, target.astype(np.float64).mean())
    shares = np.bincount(target, minlength=len(schema.classes)) / len(target)
    return "majority", np.tile(shares, (num_rows, 1))
