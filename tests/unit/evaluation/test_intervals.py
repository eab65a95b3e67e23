"""Intervals hold what they promise: also near 1, and whatever the size of a chunk."""

import warnings

import numpy as np
import pytest
from scipy import stats

from pipeline.config import EvaluationConfig
from pipeline.evaluation import resampling
from pipeline.evaluation.intervals import Interval, bca, clopper_pearson, intervals
from pipeline.tasks import TASKS

CONFIG = EvaluationConfig(resamples=500, seed=1)


def intervals_of(
    task: str, target: np.ndarray, answers: np.ndarray, config: EvaluationConfig = CONFIG
) -> dict[str, Interval]:
    return intervals(TASKS[task].scores(target, answers), TASKS[task].metrics, config)


@pytest.mark.parametrize("rows", [20, 50, 200, 1000])
@pytest.mark.parametrize("share", [0.5, 0.9, 0.98, 0.995])
def test_accuracy_is_held_as_often_as_promised(rows: int, share: float) -> None:
    """Computed, not drawn: every number of right rows has a known probability."""
    hits = np.arange(rows + 1)
    held = [low <= share <= high for low, high in (clopper_pearson(int(k), rows, 0.025) for k in hits)]
    assert stats.binom.pmf(hits, rows, share)[held].sum() >= 0.95


@pytest.mark.parametrize(("hits", "rows"), [(0, 7), (7, 7), (49, 50), (188, 192)])
def test_clopper_pearson_is_scipys(hits: int, rows: int) -> None:
    expected = stats.binomtest(hits, rows).proportion_ci(0.9, "exact")
    assert clopper_pearson(hits, rows, 0.05) == pytest.approx((expected.low, expected.high))


def test_bca_is_scipys() -> None:
    values = np.random.default_rng(0).lognormal(size=60)
    drawn = np.concatenate([w @ values / w.sum(axis=1) for w in resampling.bootstrap_weights(60, 4000, seed=2)])
    without = np.concatenate([w @ values / w.sum(axis=1) for w in resampling.jackknife_weights(60)])
    low, high = bca(values.mean(), drawn, without, 0.025)
    expected = stats.bootstrap([values], np.mean, n_resamples=20_000, method="BCa", random_state=3).confidence_interval
    assert (low, high) == pytest.approx((expected.low, expected.high), rel=0.03)


@pytest.mark.parametrize("num_classes", [2, 5])
def test_a_model_without_an_error_may_still_have_been_lucky(num_classes: int) -> None:
    target = np.arange(60) % num_classes
    found = intervals_of("multiclass", target, np.eye(num_classes)[target])
    for name in ("accuracy", "balanced_accuracy", "macro_f1", "mcc", "roc_auc", "pr_auc"):
        assert found[name].value == found[name].high == 1.0
        # three errors in a hundred rows would leave 60 rows without one in a sixth of all samples
        assert found[name].low < 0.97, name


def test_one_more_row_gives_clopper_pearsons_limits() -> None:
    """Macro F1 of two equal classes with as many errors each is nearly their accuracy."""
    target = np.arange(200) % 2
    guess = np.where(np.arange(200) < 4, 1 - target, target)
    found = intervals_of("binary", target, np.eye(2)[guess], EvaluationConfig(resamples=4000))
    assert found["macro_f1"].value == pytest.approx(found["accuracy"].value)
    assert found["macro_f1"].low == pytest.approx(found["accuracy"].low, abs=0.006)
    assert found["macro_f1"].high == pytest.approx(found["accuracy"].high, abs=0.006)


def test_interval_holds_the_value_and_narrows_with_more_rows() -> None:
    widths = []
    for rows in (100, 2000):
        random = np.random.default_rng(rows)
        target = np.arange(rows) % 3
        scores = random.dirichlet(np.ones(3), rows) + 0.6 * np.eye(3)[target]
        found = intervals_of("multiclass", target, scores / scores.sum(axis=1, keepdims=True))
        found |= intervals_of("regression", target.astype(float), target + random.normal(size=rows))
        for name, interval in found.items():
            assert interval.low < interval.value < interval.high, name
        widths.append({name: interval.high - interval.low for name, interval in found.items()})
    assert all(widths[1][name] < widths[0][name] / 3 for name in widths[0])


def test_one_row_is_an_interval_without_a_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = intervals_of("regression", np.array([3.0]), np.array([2.0]))
    assert {name: (i.low, i.value, i.high) for name, i in found.items()} == {
        "mae": (1, 1, 1),
        "rmse": (1, 1, 1),
        "r2": (0, 0, 0),
    }


def test_they_depend_on_the_seed_alone_and_not_on_the_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    target = np.arange(40) % 2
    scores = np.random.default_rng(0).dirichlet(np.ones(2), 40)
    numbers = np.arange(30.0)

    def found(seed: int) -> tuple[object, object]:
        config = EvaluationConfig(resamples=200, seed=seed)
        return (
            intervals_of("binary", target, scores, config),
            intervals_of("regression", numbers, numbers[::-1], config),
        )

    once = found(1)
    assert found(1) == once != found(2)
    for chunk in (1, 3000, 12345):
        monkeypatch.setattr(resampling, "CHUNK_BYTES", chunk)
        for again, first in zip(found(1), once, strict=True):
            for name, interval in first.items():  # type: ignore[attr-defined]
                # a product of more rows at once may round its last bit otherwise; report.json has six digits
                theirs = again[name]  # type: ignore[index]
                assert (theirs.low, theirs.high) == pytest.approx((interval.low, interval.high), rel=1e-12), name
