"""A metric that ranks rows is a mean over folds, since the answers of several models do not rank among one another."""

import numpy as np
import pytest

from pipeline.config import EvaluationConfig
from pipeline.data.schema import Schema
from pipeline.evaluation.folds import Fold, fold_report


def fold(positives: int, of_all: int, answers: np.ndarray | None = None) -> Fold:
    """Ten rows, whose model has learned from the other rows how frequent the class is."""
    target = np.repeat([1, 0], [positives, 10 - positives]).astype(np.int32)
    share = (of_all - positives) / 40
    guess = np.tile([1 - share, share], (10, 1))
    predicted = guess if answers is None else np.stack([1 - answers, answers], axis=1)
    return Fold("run", target, predicted, {"other": guess}, {"other": 30}, 40, guess)


def test_a_guess_ranks_no_row_however_uneven_the_folds_are() -> None:
    schema = Schema("made", "binary", "hash", [], "y", ["no", "yes"])
    counts = [2, 3, 5, 6, 4]
    report = fold_report("e", EvaluationConfig(resamples=100), schema, [fold(count, 20) for count in counts])
    assert report["baseline"]["roc_auc"] == report["references"][0]["roc_auc"] == 0.5
    assert report["all"]["roc_auc"] == {"value": 0.5}
    assert report["all"]["pr_auc"]["value"] == pytest.approx(np.mean(counts) / 10)
    assert set(report["all"]["accuracy"]) == {"value", "low", "high"}
    assert report["references"][0]["training_rows"] == [30] * 5
    assert report["references"][0]["of_rows"] == [40] * 5


def test_a_fold_of_one_class_has_nothing_to_rank() -> None:
    schema = Schema("made", "binary", "hash", [], "y", ["no", "yes"])
    right = np.linspace(0.9, 0.1, 10)
    report = fold_report("e", EvaluationConfig(resamples=100), schema, [fold(0, 5), fold(5, 5, right)])
    assert report["all"]["roc_auc"] == {"value": 1.0}
