"""The gate promotes what is shown to be better, and nothing else."""

import numpy as np
import pytest

from pipeline.config import PromotionConfig
from pipeline.evaluation import resampling
from pipeline.registry.gate import compare, judge, unmet_minima
from pipeline.tasks import TASKS

RULE = PromotionConfig(confidence=0.95, resamples=2000)


def verdict(candidate: np.ndarray, champion: np.ndarray) -> bool:
    return judge(compare(candidate, champion, RULE), "champion version 1", "accuracy", RULE).promoted


def test_a_clear_gain_is_promoted() -> None:
    random = np.random.default_rng(0)
    champion = (random.random(400) < 0.80).astype(float)
    candidate = np.maximum(champion, (random.random(400) < 0.5).astype(float))
    assert verdict(candidate, champion)


def test_equal_and_worse_models_are_not() -> None:
    champion = (np.random.default_rng(0).random(400) < 0.8).astype(float)
    assert not verdict(champion, champion)
    assert not verdict(champion * 0, champion)


def test_noise_is_promoted_no_more_often_than_the_confidence_allows() -> None:
    promoted = 0
    for seed in range(200):
        random = np.random.default_rng(seed)
        promoted += verdict((random.random(300) < 0.9).astype(float), (random.random(300) < 0.9).astype(float))
    # 5 % of 200 is 10; four standard deviations of that binomial above it
    assert promoted <= 10 + 4 * np.sqrt(200 * 0.05 * 0.95)


def test_comparison_is_paired() -> None:
    """A small gain on every row is certain, however much the rows differ among themselves."""
    champion = np.random.default_rng(0).normal(0, 100, 100)
    assert verdict(champion + 0.1, champion)


def test_verdict_repeats() -> None:
    random = np.random.default_rng(3)
    a, b = random.random(50), random.random(50)
    assert compare(a, b, RULE) == compare(a, b, RULE)


@pytest.mark.parametrize(
    ("metric", "value", "words"),
    [
        ("accuracy", 0.95, None),
        ("accuracy", 0.9, None),
        ("accuracy", 0.89, "accuracy 0.89 is below the minimum 0.9"),
        ("brier", 0.9, None),
        ("brier", 0.91, "brier 0.91 is above the maximum 0.9"),
        ("brier", np.nan, "brier nan is above the maximum 0.9"),
    ],
)
def test_minima(metric: str, value: float, words: str | None) -> None:
    assert unmet_minima({metric: value}, {metric: 0.9}, TASKS["binary"]) == words


def test_memory_and_verdict_do_not_depend_on_the_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(3)
    candidate, champion = random.random(500), random.random(500)
    rule = PromotionConfig(confidence=0.9, resamples=300)
    once = compare(candidate, champion, rule)
    monkeypatch.setattr(resampling, "CHUNK_BYTES", 8 * 500 * 7)
    assert [len(weights) for weights in resampling.bootstrap_weights(500, 20, 0)] == [7, 7, 6]
    again = compare(candidate, champion, rule)
    assert again.difference == once.difference
    assert again.bound == pytest.approx(once.bound, rel=1e-12)
