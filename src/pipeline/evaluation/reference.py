"""What a model has to be worth its while beside: plain scikit-learn models on the same split, and guesses that know the
target alone. A task names one of each.

A scikit-learn model learns from at most MOST_ROWS training rows. More rows would take minutes and change its score
little.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
MOST_ROWS = 50_000


def linear(train_ND: Array, target: NDArray[Any], test_MD: Array, num_classes: int) -> Array:
    """Least squares on standardised inputs: predictions (M,) of the test rows."""
    from sklearn.linear_model import LinearRegression
    from sklearn.preprocessing import StandardScaler

    # Without scaling, a column as large as a moment in microseconds would leave nothing of the others.
    scaler = StandardScaler().fit(train_ND)
    answers: Array = LinearRegression().fit(scaler.transform(train_ND), target).predict(scaler.transform(test_MD))
    return answers


def logistic(train_ND: Array, target: NDArray[Any], test_MD: Array, num_classes: int) -> Array:
    """Logistic regression on standardised inputs: probabilities (M, K) of the test rows. A class that is not among the
    N training rows (of a large set they are a sample) gets 0."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    found = np.unique(target)
    answers = np.zeros((len(test_MD), num_classes))
    if len(found) == 1:
        answers[:, found] = 1.0
    else:
        scaler = StandardScaler().fit(train_ND)
        model = LogisticRegression(max_iter=1000).fit(scaler.transform(train_ND), target)
        answers[:, model.classes_] = model.predict_proba(scaler.transform(test_MD))
    return answers


def mean(target: NDArray[Any], num_classes: int, num_rows: int) -> Array:
    """The training rows' mean, for so many rows (M,)."""
    return np.full(num_rows, target.astype(np.float64).mean())


def shares(target: NDArray[Any], num_classes: int, num_rows: int) -> Array:
    """The classes' shares of the training rows, for so many rows (M, K)."""
    found = np.bincount(target, minlength=num_classes) / len(target)
    return np.tile(found, (num_rows, 1))


REFERENCES = {"LinearRegression": linear, "LogisticRegression": logistic}
BASELINES = {"mean": mean, "majority": shares}
