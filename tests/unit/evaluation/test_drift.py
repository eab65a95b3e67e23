"""Drift is told where there is some, and not where rows differ by chance alone."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from pipeline.data.profile.brightness import brightness
from pipeline.data.profile.composition import composition
from pipeline.data.profile.dynamics import dynamics
from pipeline.data.profile.loudness import loudness
from pipeline.data.profile.new_rows import counted
from pipeline.data.profile.seen import Seen
from pipeline.data.profile.statistics import ColumnStatistics, check_fits, quantiles, statistics_of
from pipeline.data.related import Groups
from pipeline.data.schema import Column, Schema
from pipeline.data.types.audio import AudioColumn
from pipeline.data.types.image import ImageColumn
from pipeline.data.types.sequence import SequenceColumn
from pipeline.data.types.series import SeriesColumn, as_stored
from pipeline.errors import DataError
from pipeline.evaluation.distances import Distance, clopper_pearson, distance
from pipeline.evaluation.drift import Measure, compare, judged, together_of
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
    measures = compare(COLUMNS, known(seed), counted(new.select(["x", "kind", "said"]), refused), threshold, 0.95)
    return {f"{measure.column}: {measure.what}": measure for measure in measures}


def contents(kind: str, seed: int, factor: float, size: int = 400) -> pa.Table:
    """Images, or recordings of a tenth of a second, of which all values are so many times as large."""
    random = np.random.default_rng(seed)
    values = random.uniform(0.1, 0.5, (size, 1)) * random.uniform(0.2, 1, (size, 48)) * factor
    raw = pa.array((values * 255).astype(np.uint8).tolist() if kind == "image" else values.tolist())
    found = CONTENTS[kind].type.convert(raw, CONTENTS[kind].config)
    assert found is not None
    target = random.normal(size=size)
    return pa.table({"row": [f"{seed}-{i:06d}" for i in range(size)], "x": found.values, "target": target})


CONTENTS = {
    "image": Column("x", ImageColumn("image", shape=[4, 4, 3], pixels="uint8")),
    "audio": Column("x", AudioColumn("audio", rate=1000, seconds=0.1)),
}


@pytest.mark.parametrize(
    ("kind", "parts"),
    [
        ("image", [f"{name} of {of}" for name in ("brightness", "contrast") for of in ("red", "green", "blue")]),
        ("audio", ["peak", "level"]),
    ],
)
def test_darker_images_and_softer_recordings_are_drift(kind: str, parts: list[str]) -> None:
    column = CONTENTS[kind]
    seen = Seen(Schema("made", "regression", "hash", [column], "y", []))
    seen.look_at("train", contents(kind, 0, 1.0))
    seen.look_at("test", contents(kind, 1, 1.0, 100))
    known = statistics_of(seen)[:-1]
    for factor, expected in ((1.0, []), (0.5, parts)):
        new = counted(contents(kind, 2, factor).select(["x"]), {})
        measures = compare([column], known, new, 0.1, 0.95)
        assert sorted(measure.what for measure in measures if measure.verdict == "drift") == sorted(expected)


def test_the_brightness_of_images_and_the_loudness_of_recordings() -> None:
    images = pa.chunked_array([pa.array([[0, 10, 20, 30]], pa.list_(pa.uint8(), 4)), [[7] * 4]])
    found = brightness(images, ImageColumn("image", shape=[2, 2, 1], pixels="uint8")).numbers
    assert {name: values.tolist() for name, values in found.items()} == {
        "brightness": [15, 7],
        "contrast": [np.sqrt(125), 0],
    }
    audio = CONTENTS["audio"].config
    parsed = CONTENTS["audio"].type.convert(pa.array([[0.5, -0.5, 0.5], [0.0, 0.25, -0.25, 0.0]]), audio)
    assert parsed is not None
    found = loudness(pa.chunked_array([parsed.values]), audio).numbers
    assert {name: values.tolist() for name, values in found.items()} == {
        "seconds": [0.003, 0.004],
        "peak": [0.5, 0.25],
        "level": [0.5, np.sqrt(2 * 0.25**2 / 4)],
    }


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
    measures = compare([category("kind")], statistics_of(seen)[:-1], counted(pa.table({"kind": new}), {}), 0.1, 0.95)
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
    measures = compare([number("x")], statistics_of(seen)[:-1], counted(new, {}), 0.05, 0.95)
    assert "drift" not in {measure.verdict for measure in measures}


def test_rows_that_hang_together_count_as_one() -> None:
    """Twenty alike rows of each person look like drift if each of them counts."""
    wrong = np.zeros(2)
    for seed in range(30):
        random = np.random.default_rng(seed)
        trained, new = (np.repeat(random.normal(size=people), 20) for people in (100, 40))
        measured = distance(quantiles(trained), 2000, new)
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
    image = Column("x", ImageColumn("image", shape=[4, 4, 3], pixels="uint8"))
    earlier = [ColumnStatistics("x", "image", 9, 0, values=9), columns[1]]
    with pytest.raises(DataError, match=r"statistics.json: of 'x', nothing was measured by then\. Run: again$"):
        check_fits(tmp_path, earlier, [image], "Run: again")


def test_few_rows_tell_nothing() -> None:
    assert {measure.verdict for measure in found(rows(52, 20, shift=8.0)).values()} == {"too few rows"}


def test_the_distance_is_that_of_kolmogorov_and_smirnov() -> None:
    from scipy.stats import beta, ks_2samp

    random = np.random.default_rng(0)
    trained, new = random.normal(size=200).round(1), random.normal(0.3, size=90).round(1)
    assert distance(quantiles(trained), 200, new).value == pytest.approx(ks_2samp(trained, new).statistic, abs=1e-12)
    many = random.normal(size=5000)
    assert distance(quantiles(many), 5000, new).value == pytest.approx(ks_2samp(many, new).statistic, abs=1 / 256)
    assert clopper_pearson(3, 20, 0.05) == pytest.approx((beta.ppf(0.025, 3, 18), beta.ppf(0.975, 4, 17)))


def test_a_radius_is_that_of_massart() -> None:
    low, high = Distance(0.5, 100, 400).interval(0.05, 1.0)
    expected = np.sqrt(np.log(40) / 200) + np.sqrt(np.log(40) / 800)
    assert (0.5 - low, high - 0.5) == (pytest.approx(expected), pytest.approx(expected))


DNA = Column("site", SequenceColumn("sequence"))


def sequences(seed: int, size: int, weights: tuple[float, ...] = (1, 1, 1, 1), mean: int = 60) -> list[str]:
    random = np.random.default_rng(seed)
    letters = np.array(list("ACGT"))
    return ["".join(random.choice(letters, n, p=np.array(weights) / sum(weights))) for n in random.poisson(mean, size)]


def of_contents(column: Column, trained: pa.Array, new: pa.Array, overlap: int = 1) -> dict[str, Measure]:
    """The measures of a column against training rows; half of them are for testing, which does not matter."""
    seen = Seen(Schema("made", "regression", "hash", [column], "y", []))
    ids = [f"{i:06d}" for i in range(len(trained))]
    for split in ("train", "test"):
        seen.look_at(split, pa.table({"row": ids, column.name: trained, "target": [1.0] * len(ids)}))
    found = statistics_of(seen)[:-1]
    given = counted(pa.table({column.name: new}), {}, overlap)
    return {measure.what: measure for measure in compare([column], found, given, 0.05, 0.95)}


def test_the_letters_and_lengths_of_sequences_are_compared() -> None:
    trained = pa.array(sequences(0, 4000))
    same = of_contents(DNA, trained, pa.array(sequences(1, 4000)))
    assert set(same) == {"missing", "none of its type", "lengths", "letters", "pairs of letters"}
    assert all(measure.low == 0 for measure in same.values())
    rich = of_contents(DNA, trained, pa.array(sequences(2, 4000, (1, 2, 2, 1))))
    assert rich["letters"].value == pytest.approx(1 / 6, abs=0.01)
    assert {name for name, measure in rich.items() if measure.verdict == "drift"} == {"letters", "pairs of letters"}
    # the same letters, but C is never before G
    apart = of_contents(DNA, trained, pa.array([text.replace("CG", "GC") for text in sequences(3, 4000)]))
    assert (apart["letters"].low, apart["pairs of letters"].value > 0.06) == (0, True)
    assert of_contents(DNA, trained, pa.array(sequences(4, 400, mean=80)))["lengths"].verdict == "drift"


def test_the_composition_counts_each_sequence_once_and_ambiguous_letters_apart() -> None:
    found = composition(pa.chunked_array([["A", "ACGN", "AAAAAAAA"]]), SequenceColumn("sequence"))
    assert found.shares["letters"] == pytest.approx({"A": 2.25 / 3, "C": 0.25 / 3, "G": 0.25 / 3, "T": 0})
    assert found.shares["pairs of letters"]["AA"] == pytest.approx(1 / 3)
    assert sum(found.shares["pairs of letters"].values()) == pytest.approx((2 / 3 + 1) / 3)
    protein = composition(pa.chunked_array([["MKV"]]), SequenceColumn("sequence", alphabet="protein"))
    assert list(protein.shares) == ["letters"]


def wave(seed: int, size: int, follows: float = 0.8, level: float = 0.0, spread: float = 1.0) -> np.ndarray:
    """Rows (size, 2): an autoregressive process with this mean and deviation, and another one that stays as it is."""
    random = np.random.default_rng(seed)
    noise = random.normal(size=(size, 2)) * np.sqrt(1 - np.array([follows, 0.8]) ** 2)
    rows = np.zeros((size, 2))
    for i in range(1, size):
        rows[i] = rows[i - 1] * [follows, 0.8] + noise[i]
    return rows * [spread, 1] + [level, 0]


def windows(rows: np.ndarray, stride: int) -> pa.Array:
    starts = np.arange(0, len(rows) - 11, stride)
    return as_stored(rows[starts[:, np.newaxis] + np.arange(12)])


@pytest.mark.parametrize(
    ("changed", "what"),
    [({"level": 2.0}, "level"), ({"spread": 3.0}, "spread"), ({"follows": 0.0}, "autocorrelation")],
)
def test_the_channels_of_series_are_compared(changed: dict[str, float], what: str) -> None:
    column = Column("series", SeriesColumn("series", window=12, channels=["a", "b"], cut={"stride": 1}))
    trained = windows(wave(0, 9000), 1)
    same = of_contents(column, trained, windows(wave(1, 9000), 12))
    assert len(same) == 2 + 3 * 2
    assert all(measure.low == 0 for measure in same.values())
    found = of_contents(column, trained, windows(wave(2, 9000, **changed), 12))
    drifted = {name for name, measure in found.items() if measure.verdict == "drift"}
    assert f"{what} of a" in drifted
    assert not any(name.endswith(" of b") for name in drifted)


def test_windows_that_share_rows_count_as_if_they_did_not() -> None:
    random = np.random.default_rng(0)
    trained, new = windows(random.normal(size=(1211, 1)), 1), windows(random.normal(size=(1200, 1)), 12)
    widths = []
    for cut in ({"stride": 1}, {}):
        column = Column("series", SeriesColumn("series", window=12, channels=["a"], cut=cut))
        level = of_contents(column, trained, new)["level of a"]
        widths.append(level.high - level.value)
    delta = 0.05 / 5 / 2
    radius = [np.sqrt(np.log(2 / delta) / (2 * size)) for size in (100, 1200)]
    assert widths[0] - widths[1] == pytest.approx(radius[0] - radius[1])


def test_new_windows_that_share_rows_count_as_if_they_did_not() -> None:
    """A slow series looks like another one if each window of a file counts."""
    settings = SeriesColumn("series", window=12, channels=["a", "b"], cut={"stride": 1})
    column, trained, wrong = Column("series", settings), windows(wave(0, 20000), 1), np.zeros(2)
    for seed in range(8):
        new = windows(wave(100 + seed, 900), 1)
        found = [of_contents(column, trained, new, overlap) for overlap in (1, settings.overlap)]
        wrong += [any(measure.low > 0 for measure in measures.values()) for measures in found]
    assert wrong[0] > 4
    assert wrong[1] == 0
    few = of_contents(column, trained, windows(wave(1, 300), 1), settings.overlap)["level of a"]
    assert (few.verdict, few.rows) == ("too few rows", 289)


def test_windows_do_not_hang_together_as_the_test_windows_do() -> None:
    related = Groups("station", np.repeat(np.arange(4, dtype=np.uint64), 500))
    settings = SeriesColumn("series", window=12, channels=["a"], cut={"stride": 1})
    assert together_of([Column("series", settings)], related) == 1
    assert together_of([Column("series", replace(settings, cut={}))], related) == 500


def test_a_series_that_stands_still_follows_itself() -> None:
    still = pa.chunked_array([as_stored(np.full((1, 12, 1), 3.0))])
    found = dynamics(still, SeriesColumn("series", window=12, channels=["a"]))
    assert {name: values.tolist() for name, values in found.numbers.items()} == {
        "level of a": [3.0],
        "spread of a": [0.0],
        "autocorrelation of a": [1.0],
    }
    short = SeriesColumn("series", window=2, channels=["a"])
    pair = dynamics(pa.chunked_array([as_stored(np.array([[[1.0], [3.0]]]))]), short)
    assert {name: values.tolist() for name, values in pair.numbers.items()} == {
        "level of a": [2.0],
        "spread of a": [1.0],
    }
