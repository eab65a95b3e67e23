"""Rows that are not independent: their intervals hold what they promise, where those of single rows do not."""

from collections.abc import Callable

import numpy as np
import pytest

from pipeline.config import EvaluationConfig, PromotionConfig
from pipeline.data.related import Groups, Related, Stretches
from pipeline.evaluation import resampling
from pipeline.evaluation.intervals import intervals
from pipeline.evaluation.report import resampled_by, shown
from pipeline.evaluation.units import least_units, units_of
from pipeline.registry.gate import compare, judge
from pipeline.tasks import TASKS

Drawn = tuple[str, np.ndarray, np.ndarray, Related, float]
CONFIG = EvaluationConfig(resamples=100)
SAMPLES = 40
AHEAD = 12  # steps, for which a forecast leaves the value as it is
ROWS = 600


def groups_of(of_row: np.ndarray) -> Groups:
    return Groups("speaker", of_row.astype(np.uint64))


def windows(count: int, span: int, stride: int = 1) -> Stretches:
    begin = np.arange(count) * stride
    return Stretches(begin, begin + span - 1)


def speakers(random: np.random.Generator) -> Drawn:
    """Twelve speakers, of whom some are much easier to understand; 80 % of all recordings are."""
    speaker = np.repeat(np.arange(12), 15)
    right = random.random(180) < random.beta(2.0, 0.5, 12)[speaker]
    return "binary", np.zeros(180, np.int64), np.eye(2)[1 - right.astype(int)], groups_of(speaker), 0.8


def forecasts(random: np.random.Generator) -> Drawn:
    """The errors of neighbouring forecasts share all steps but one."""
    steps = random.normal(size=ROWS + AHEAD - 1) / np.sqrt(AHEAD)
    return "regression", np.convolve(steps, np.ones(AHEAD), "valid"), np.zeros(ROWS), windows(ROWS, AHEAD), 0.7979


@pytest.mark.parametrize(("draw", "metric"), [(speakers, "accuracy"), (forecasts, "mae")])
def test_an_interval_of_units_holds_the_true_value_where_one_of_rows_does_not(
    draw: Callable[[np.random.Generator], Drawn], metric: str
) -> None:
    held = np.zeros(2)
    for seed in range(SAMPLES):
        name, target, answers, related, truth = draw(np.random.default_rng(seed))
        task = TASKS[name]
        for i, units in enumerate((None, units_of(related))):
            found = intervals(task.scores(target, answers), {metric: task.metrics[metric]}, CONFIG, units)[metric]
            held[i] += found.low <= truth <= found.high
    of_rows, of_units = held / SAMPLES
    assert of_rows < 0.7
    assert of_units > 0.85  # three standard deviations of so many samples below 0.95


def test_a_weight_is_that_of_the_rows_unit_and_independent_of_the_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    unit = np.array([0, 1, 1, 2, 0, 2, 2])
    for draw in (resampling.bootstrap_weights, resampling.bayesian_weights):
        whole = np.concatenate(list(draw(7, 50, 3, unit)))
        assert (whole == np.concatenate(list(draw(3, 50, 3)))[:, unit]).all()
        monkeypatch.setattr(resampling, "CHUNK_BYTES", 8 * 7 * 4)
        assert (np.concatenate(list(draw(7, 50, 3, unit))) == whole).all()
    assert np.concatenate(list(resampling.jackknife_weights(7, unit))).tolist() == [
        [0, 1, 1, 1, 0, 1, 1],
        [1, 0, 0, 1, 1, 1, 1],
        [1, 1, 1, 0, 1, 0, 0],
    ]


@pytest.mark.parametrize(
    ("rows", "span", "stride", "count"),
    [
        (400, 24, 1, 8),  # 48 rows each, twice as many as share something with the first of them
        (400, 24, 12, 28),  # a window overlaps the next one only, so there are as many blocks as there may be
        (60, 1, 1, 15),  # the cube root of the number of rows
        (20, 24, 1, 1),
    ],
)
def test_blocks_are_longer_than_rows_overlap(rows: int, span: int, stride: int, count: int) -> None:
    units = units_of(windows(rows, span, stride))
    assert units is not None
    assert units.count == count
    assert (np.diff(units.of_row) >= 0).all()
    sizes = np.bincount(units.of_row)
    assert sizes.max() - sizes.min() <= 1
    assert units.words.startswith(f"{count} block")


def test_rows_of_one_instant_are_in_one_block_in_whatever_order_they_come() -> None:
    """Two stations, whose hours are not independent of one another either."""
    begin = np.tile(np.arange(200), 2)
    units = units_of(Stretches(begin, begin + 4))
    assert units is not None
    assert (units.of_row[:200] == units.of_row[200:]).all()
    assert units.count == 20  # of 10 hours each, twice as many as a window spans
    mixed = np.random.default_rng(0).permutation(400)
    again = units_of(Stretches(begin[mixed], begin[mixed] + 4))
    assert again is not None
    assert (again.of_row == units.of_row[mixed]).all()


def test_too_few_units_give_no_interval_and_no_promotion() -> None:
    assert [least_units(tail) for tail in (0.5, 0.05, 0.025, 0.005)] == [2, 5, 6, 8]
    speaker = np.repeat(np.arange(4), 50)
    units = units_of(groups_of(speaker))
    assert units is not None
    task = TASKS["regression"]
    found = intervals(task.scores(speaker * 1.0, np.zeros(200)), task.metrics, CONFIG, units)
    assert found["mae"].to_json() == {"value": 1.5}
    assert shown(found["mae"].to_json()) == "1.5000"
    assert resampled_by(units, CONFIG) == "no interval: 4 groups (speaker), expected 6 or more"
    rule = PromotionConfig()
    verdict = judge(compare(np.ones(200), np.zeros(200), rule, units.of_row), "version 1", "accuracy", rule)
    assert not verdict.promoted
    assert verdict.reason == (
        "not shown to be better than version 1: +1 accuracy a row, but the test rows are 4 groups or blocks, expected "
        "5 or more"
    )


def test_a_model_without_an_error_in_six_groups_may_fail_in_a_seventh() -> None:
    """The exact lower limit of six right answers of six, however many rows each of them has."""
    units = units_of(groups_of(np.repeat(np.arange(6), 50)))
    task, target = TASKS["binary"], np.arange(300) % 2
    config = EvaluationConfig(resamples=2000)
    found = intervals(task.scores(target, np.eye(2)[target]), task.metrics, config, units)
    for name in ("accuracy", "macro_f1"):
        assert found[name].high == 1.0
        assert found[name].low == pytest.approx(0.025 ** (1 / 6), abs=0.03)


def test_a_gain_in_one_group_alone_is_not_promoted() -> None:
    """A tenth of all rows is better, which is certain of rows and not of groups."""
    rule, speaker = PromotionConfig(resamples=1000), np.repeat(np.arange(10), 100)
    gain = (speaker == 3) * 1.0
    units = units_of(groups_of(speaker))
    assert units is not None
    assert judge(compare(gain, gain * 0, rule), "version 1", "accuracy", rule).promoted
    verdict = judge(compare(gain, gain * 0, rule, units.of_row), "version 1", "accuracy", rule)
    assert not verdict.promoted
    assert verdict.reason.endswith("+0.1 accuracy a row, lower 95% bound +0 by 10 groups or blocks")
    assert judge(compare(gain * 0 + 0.01, gain * 0, rule, units.of_row), "version 1", "accuracy", rule).promoted


def test_a_gain_by_chance_in_some_groups_is_promoted_no_more_often_than_the_confidence_allows() -> None:
    rule, speaker = PromotionConfig(resamples=300), np.repeat(np.arange(12), 10)
    promoted = np.zeros(2)
    for seed in range(100):
        random = np.random.default_rng(seed)
        gain = random.normal(size=12)[speaker] + random.normal(size=120)
        for i, unit_N in enumerate((None, speaker)):
            promoted[i] += judge(compare(gain, gain * 0, rule, unit_N), "version 1", "accuracy", rule).promoted
    of_rows, of_units = promoted
    assert of_rows > 20
    # 5 % of 100, and three standard deviations of that binomial above it
    assert of_units <= 5 + 3 * np.sqrt(100 * 0.05 * 0.95)
