"""Drift is told where there is some, and not where rows differ by chance alone."""

import numpy as np
import pyarrow as pa
import pytest

from pipeline.data.profile.seen import Seen
from pipeline.data.profile.statistics import ColumnStatistics, quantiles, statistics_of
from pipeline.data.schema import Schema
from pipeline.evaluation.drift import Distance, Measure, clopper_pearson, compare, distance
from tests.made import category, number, text

COLUMNS = [number("x", nullable=True), category("kind"), text("said")]
WORDS = np.array(["the", "of", "to", "and", "in", "is", "it", "you", "that", "he", "was", "for", "on", "are"])
BEYOND = 0.01  # about so many of the rows truly lie outside of the range of 2,000 others


def rows(seed: int, size: int, shift: float = 0.0, missing: float = 0.1, first: str = "the") -> pa.Table:
    random = np.random.default_rng(seed)
    kinds = np.array(["a", "b", "c"])[np.minimum(2, random.integers(0, 4, size))]
    lengths = random.integers(1, 9, size)
    return pa.table(
        {
            "row": [f"{seed}-{i:06d}" for i in range(size)],
            "x": pa.array(random.normal(size=size) + shift, mask=random.random(size) < missing),
            "kind": kinds.tolist(),
            "said": [" ".join([first, *random.choice(WORDS, length)]) for length in lengths],
            "target": random.normal(size=size),
        }
    )


def known(seed: int, size: int = 2000) -> list[ColumnStatistics]:
    seen = Seen(Schema("made", "regression", "hash", COLUMNS, "y", []))
    seen.look_at("train", rows(seed, size))
    seen.look_at("test", rows(seed + 1, size // 4))
    return statistics_of(seen)[:-1]


def found(new: pa.Table, threshold: float = 0.1, seed: int = 0, **refused: int) -> dict[str, Measure]:
    measures = compare(COLUMNS, known(seed), new, refused, threshold, 0.95)
    return {f"{measure.column}: {measure.what}": measure for measure in measures}


def test_rows_of_the_same_kind_are_no_drift() -> None:
    """The intervals of all measures hold together for 95 % of all samples at least; they are wide, so for more."""
    wrong = [any(m.low > BEYOND for m in found(rows(100 + seed, 500), 0.0, 1000 * seed).values()) for seed in range(20)]
    assert sum(wrong) <= 1


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        ({"shift": 1.0}, "x: values"),
        ({"shift": 8.0}, "x: outside of the range"),
        ({"missing": 0.6}, "x: missing"),
        ({"first": "zzz " * 9}, "said: unknown words"),
        ({"first": "the " * 20}, "said: lengths"),
    ],
)
def test_what_has_changed_is_told(changed: dict[str, float], what: str) -> None:
    measures = found(rows(50, 600, **changed))  # type: ignore[arg-type]
    assert measures[what].verdict == "drift"
    assert measures[what].low <= measures[what].value <= measures[what].high
    assert measures["kind: values"].verdict != "drift"


def test_categories_and_refused_values_are_told() -> None:
    new = rows(51, 600)
    new = new.set_column(2, "kind", pa.array(["a"] * 300 + ["new"] * 300))
    measures = found(new, x=200)
    assert {name for name, measure in measures.items() if measure.verdict == "drift"} >= {
        "kind: values",
        "kind: unknown categories",
        "x: none of its type",
    }
    assert measures["kind: unknown categories"].value == 0.5


def test_few_rows_tell_nothing() -> None:
    assert {measure.verdict for measure in found(rows(52, 20, shift=8.0)).values()} == {"too few rows"}


def test_the_distance_is_that_of_kolmogorov_and_smirnov() -> None:
    from scipy.stats import beta, ks_2samp

    random = np.random.default_rng(0)
    trained, new = random.normal(size=200).round(1), random.normal(0.3, size=90).round(1)
    statistics = ColumnStatistics("x", "number", 200, 0, values=200, quantiles=quantiles(trained))
    assert distance(statistics, new).value == pytest.approx(ks_2samp(trained, new).statistic, abs=1e-12)
    many = random.normal(size=5000)
    statistics = ColumnStatistics("x", "number", 5000, 0, values=5000, quantiles=quantiles(many))
    assert distance(statistics, new).value == pytest.approx(ks_2samp(many, new).statistic, abs=1 / 256)
    assert clopper_pearson(3, 20, 0.05) == pytest.approx((beta.ppf(0.025, 3, 18), beta.ppf(0.975, 4, 17)))


def test_a_radius_is_that_of_massart() -> None:
    low, high = Distance(0.5, 100, 400).interval(0.05)
    expected = np.sqrt(np.log(40) / 200) + np.sqrt(np.log(40) / 800)
    assert (0.5 - low, high - 0.5) == (pytest.approx(expected), pytest.approx(expected))
