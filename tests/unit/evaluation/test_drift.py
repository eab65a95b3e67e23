"""Drift is told where there is some, and not where rows differ by chance alone."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from pipeline.data.profile.seen import Seen
from pipeline.data.profile.statistics import ColumnStatistics, check_fits, quantiles, statistics_of
from pipeline.data.schema import Schema
from pipeline.errors import DataError
from pipeline.evaluation.drift import Distance, Measure, clopper_pearson, compare, distance, judged
from tests.made import category, number, text

COLUMNS = [number("x", nullable=True), category("kind"), text("said")]
WORDS = np.array(["the", "of", "to", "and", "in", "is", "it", "you", "that", "he", "was", "for", "on", "are"])


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
    wrong = [any(m.low > 0 for m in found(rows(100 + seed, 500), 0.0, 1000 * seed).values()) for seed in range(20)]
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


def of_kinds(trained: list[str], tested: list[str], new: list[str], split: str = "hash") -> dict[str, Measure]:
    seen = Seen(Schema("made", "regression", split, [category("kind")], "y", []))
    for name, kinds in (("train", trained), ("test", tested)):
        ids = [f"{name} {i}" for i in range(len(kinds))]
        seen.look_at(name, pa.table({"row": ids, "kind": kinds, "target": [1.0] * len(kinds)}))
    measures = compare([category("kind")], statistics_of(seen)[:-1], pa.table({"kind": new}), {}, 0.1, 0.95)
    return {measure.what: measure for measure in measures}


def test_few_training_rows_of_many_categories_are_no_drift() -> None:
    random = np.random.default_rng(0)
    kinds = [[f"k{i}" for i in random.integers(0, 1000, size)] for size in (20, 10, 500)]
    found = of_kinds(*kinds)
    assert found["unknown categories"].value < 0.1
    assert "drift" not in {measure.verdict for measure in found.values()}
    # Test rows that are those for training do not tell how many are unknown.
    alone = of_kinds(kinds[0], kinds[0], kinds[2], "none")
    assert "unknown categories" not in alone
    assert "drift" not in {measure.verdict for measure in alone.values()}


def test_few_training_numbers_are_no_drift() -> None:
    random = np.random.default_rng(1)
    seen = Seen(Schema("made", "regression", "hash", [number("x")], "y", []))
    for name, size in (("train", 4), ("test", 400)):
        values = random.normal(size=size)
        ids = [f"{name} {i}" for i in range(size)]
        seen.look_at(name, pa.table({"row": ids, "x": values, "target": values}))
    new = pa.table({"x": random.normal(size=5000)})
    measures = compare([number("x")], statistics_of(seen)[:-1], new, {}, 0.05, 0.95)
    assert "drift" not in {measure.verdict for measure in measures}


def test_rows_that_hang_together_count_as_one() -> None:
    """Twenty alike rows of each person look like drift if each of them counts."""
    wrong = np.zeros(2)
    for seed in range(30):
        random = np.random.default_rng(seed)
        trained, new = (np.repeat(random.normal(size=people), 20) for people in (100, 40))
        known = ColumnStatistics("x", "number", 2000, 0, values=2000, quantiles=quantiles(trained))
        measured = distance(known, new)
        wrong += [measured.interval(0.025, together)[0] > 0 for together in (1.0, 20.0)]
    assert wrong[0] > 20
    assert wrong[1] <= 1
    few = judged("x", "values", measured, 0.1, 0.025, 30.0)
    assert (few.verdict, few.rows) == ("too few rows", 800)


def test_categories_that_are_taken_together_are_never_called_the_same() -> None:
    often, seldom = ([f"k{i}" for i in range(*ends)] for ends in ((10, 30), (30, 50)))
    found = of_kinds(600 * often + 360 * seldom, often, 600 * often + 7200 * ["k30"])["values (rare ones as one)"]
    assert (found.verdict, found.high) == ("unclear", 1.0)
    assert of_kinds(["a", "b"] * 9000, ["a", "b"], ["b", "a"] * 9000)["values"].verdict == "no drift"


def test_statistics_of_other_columns_are_refused(tmp_path: Path) -> None:
    columns = [ColumnStatistics("x", "number", 9, 0), ColumnStatistics("target", "number", 9, 0)]
    check_fits(tmp_path, columns, [number("x")], "Run: again")
    for features in ([], [number("z")], [category("x")], [number("x"), number("z")]):
        with pytest.raises(DataError, match=r"statistics.json: not of the columns .* have\. Run: again$"):
            check_fits(tmp_path, columns, features, "Run: again")


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
    low, high = Distance(0.5, 100, 400).interval(0.05, 1.0)
    expected = np.sqrt(np.log(40) / 200) + np.sqrt(np.log(40) / 800)
    assert (0.5 - low, high - 0.5) == (pytest.approx(expected), pytest.approx(expected))
