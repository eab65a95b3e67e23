"""What a model has to be worth its while beside: plain scikit-learn models, and guesses that know the target alone."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.tasks.scores import Array

Answers = tuple[str, Array]  # by what, and what it answers


def linear(train_ND: Array, target: NDArray[Any], test_MD: Array) -> Answers:
    """Least squares: predictions (M,) of the test rows."""
    from sklearn.linear_model import LinearRegression

    return "LinearRegression", LinearRegression().fit(train_ND, target).predict(test_MD)


def logistic(train_ND: Array, target: NDArray[Any], test_MD: Array, num_classes: int) -> Answers:
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
    return "LogisticRegression", answers


def mean(target: NDArray[Any], num_rows: int) -> Answers:
    """The training rows' mean, for so many rows (M,)."""
    return "mean", np.full(num_rows, target.astype(np.float64).mean())


def shares(target: NDArray[Any], num_classes: int, num_rows: int) -> Answers:
    """The classes' shares of the training rows, for so many rows (M, K)."""
    found = np.bincount(target, minlength=num_classes) / len(target)
    return "majority", np.tile(found, (num_rows, 1))
