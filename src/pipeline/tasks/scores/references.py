"""Plain scikit-learn models, with which each model is compared: it should be better than these."""

from typing import Any

from numpy.typing import NDArray

from pipeline.tasks.scores import Array


def linear(train_ND: Array, target: NDArray[Any], test_MD: Array) -> Array:
    """Least squares: predictions (M,) of the test rows."""
    from sklearn.linear_model import LinearRegression

    predicted: Array = LinearRegression().fit(train_ND, target).predict(test_MD)
    return predicted


def logistic(train_ND: Array, target: NDArray[Any], test_MD: Array) -> Array:
    """Logistic regression on standardised inputs: probabilities (M, K) of the test rows."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler().fit(train_ND)
    model = LogisticRegression(max_iter=1000).fit(scaler.transform(train_ND), target)
    probabilities: Array = model.predict_proba(scaler.transform(test_MD))
    return probabilities
