"""What a model has to be worth its while beside: plain scikit-learn models on the same split, and guesses that know the
target alone. A task names its references and its baseline.

A scikit-learn model learns from at most MOST_ROWS training rows, and from MOST_VALUES numbers where these are images or
recordings. More would take minutes and change its score little.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.data.prepared import AnySplit, Split
from pipeline.data.schema import Schema
from pipeline.data.types.series import SeriesColumn, windows
from pipeline.evaluation import trees
from pipeline.evaluation.design import Design, linear_design
from pipeline.evaluation.designs import design_of
from pipeline.tasks.task import Target

Array = NDArray[np.float64]
MOST_ROWS = 50_000
MOST_VALUES = MOST_ROWS * 28 * 28  # they take 300 MB as float64


def most_rows(schema: Schema) -> int:
    """How many training rows a reference sees at most: fewer where a row is many numbers, such as an image. A row
    that is larger than all of that still makes one."""
    size = sum(design_of(column).size(column) for column in schema.features)
    return max(1, min(MOST_ROWS, MOST_VALUES // max(1, size)))


@dataclass(frozen=True)
class Reference:
    """`answers` fits a model to training rows (N) and gives its answers to test rows, which pass through memory in
    chunks: numbers (M,), or probabilities (M, K). `most_rows` is how many training rows it sees at
    most, 0 where it does not suit a dataset."""

    answers: Callable[[Schema, Split, AnySplit], Array]
    most_rows: Callable[[Schema], int] = most_rows


def linear(schema: Schema, train: Split, test: AnySplit) -> Array:
    """Least squares on standardised inputs, with a little ridge where there are texts, as these have more words than
    there are rows, or sequences, whose features sum to constants."""
    from sklearn.linear_model import LinearRegression, Ridge

    needs_ridge = any(design_of(column).sparse for column in schema.features)
    model = Ridge() if needs_ridge else LinearRegression()
    return _numbers(model, linear_design(schema, train), train, test)


def logistic(schema: Schema, train: Split, test: AnySplit) -> Array:
    """Logistic regression on standardised inputs."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(max_iter=1000)
    return _probabilities(model, linear_design(schema, train), train, test, len(schema.classes))


def boosted_regression(schema: Schema, train: Split, test: AnySplit) -> Array:
    """Gradient boosting with scikit-learn's defaults, without early stopping."""
    from sklearn.ensemble import HistGradientBoostingRegressor

    design, categorical = trees.tree_design(schema, train)
    model = HistGradientBoostingRegressor(categorical_features=categorical, early_stopping=False, random_state=0)
    return _numbers(model, design, train, test)


def boosted_classes(schema: Schema, train: Split, test: AnySplit) -> Array:
    """Gradient boosting with scikit-learn's defaults, without early stopping."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    design, categorical = trees.tree_design(schema, train)
    model = HistGradientBoostingClassifier(categorical_features=categorical, early_stopping=False, random_state=0)
    return _probabilities(model, design, train, test, len(schema.classes))


def last_value(schema: Schema, train: Split, test: AnySplit) -> Array:
    """The last value of the target in each window, as if nothing changed: the naive forecast."""
    (column,) = schema.features
    assert isinstance(column.config, SeriesColumn)
    place = column.config.channels.index(schema.target)
    parts = (windows(chunk.table[column.name].combine_chunks(), column.config.shape) for chunk in test.chunks())
    return np.concatenate([windows_NWC[:, -1, place] for windows_NWC in parts])


def for_forecasts(schema: Schema) -> int:
    """MOST_ROWS where the target is a channel of a series, else 0."""
    kinds = [column.config for column in schema.features]
    forecast = any(isinstance(config, SeriesColumn) and schema.target in config.channels for config in kinds)
    return MOST_ROWS if forecast else 0


def _numbers(model: Any, design: Design, train: Split, test: AnySplit) -> Array:
    """The numbers (M,) that a regression gives the test rows."""
    model.fit(design(train.table), train.target)
    return np.concatenate([model.predict(design(chunk.table)) for chunk in test.chunks()])


def _probabilities(model: Any, design: Design, train: Split, test: AnySplit, num_classes: int) -> Array:
    """The probabilities (M, K) that a classifier gives the test rows. A class that is not among the N training rows (of
    a large set they are a sample) gets 0."""
    found = np.unique(train.target)
    answers = np.zeros((test.num_rows, num_classes))
    if len(found) == 1:
        answers[:, found] = 1.0
    else:
        model.fit(design(train.table), train.target)
        parts = [model.predict_proba(design(chunk.table)) for chunk in test.chunks()]
        answers[:, model.classes_] = np.concatenate(parts)
    return answers


def mean(target: Target, num_classes: int, num_rows: int) -> Array:
    """The training rows' mean, for so many rows (M,)."""
    return np.full(num_rows, target.astype(np.float64).mean())


def shares(target: Target, num_classes: int, num_rows: int) -> Array:
    """The classes' shares of the training rows, for so many rows (M, K)."""
    found = np.bincount(target, minlength=num_classes) / len(target)
    return np.tile(found, (num_rows, 1))


REFERENCES = {
    "LinearRegression": Reference(linear),
    "LogisticRegression": Reference(logistic),
    "HistGradientBoostingRegressor": Reference(boosted_regression, trees.most_rows),
    "HistGradientBoostingClassifier": Reference(boosted_classes, trees.most_rows),
    "LastValue": Reference(last_value, for_forecasts),
}
BASELINES = {"mean": mean, "majority": shares}
