"""Scikit-learn's models beside ours: what they take, and that they see what a user would give them."""

import dataclasses
import datetime
import importlib
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from pipeline.config import EvaluationConfig
from pipeline.config.audio import AudioFeaturesConfig
from pipeline.data.prepared import Split
from pipeline.data.schema import Column, Schema
from pipeline.data.types import TYPES
from pipeline.data.types.audio import Audio, AudioColumn
from pipeline.data.types.series import SeriesColumn, as_stored
from pipeline.evaluation import trees
from pipeline.evaluation.designs import audio
from pipeline.evaluation.reference import MOST_ROWS, REFERENCES, most_rows
from pipeline.evaluation.report import build_report
from pipeline.tasks import TASKS
from tests.made import image, number, sequence, split_of

ROWS = 400
CLASSES = ["a", "b", "c"]
TREES = {task: TASKS[task].references[1] for task in TASKS}


def schema_of(columns: list[Column], task: str = "regression", classes: list[str] | None = None) -> Schema:
    return Schema("made", task, "hash", columns, "target", classes or [])


@pytest.mark.parametrize("name", TASKS["multiclass"].references)
@pytest.mark.parametrize("kept", [[0, 2], [2]])
def test_a_reference_that_has_not_seen_a_class_gives_it_no_chance(name: str, kept: list[int]) -> None:
    """Of many rows a reference learns from a sample, which may lack a rare class."""
    target = np.arange(ROWS) % 3
    x = np.random.default_rng(1).normal(size=ROWS) + target
    rows = split_of({"x": x}, target)
    train = rows.where(np.isin(target, kept))
    answers = REFERENCES[name].answers(schema_of([number("x")], "multiclass", CLASSES), train, rows)
    assert answers.shape == (ROWS, 3)
    np.testing.assert_allclose(answers.sum(axis=1), 1)
    assert set(np.flatnonzero(answers.any(axis=0))) == set(kept)


def test_trees_see_categories_and_missing_values_as_they_are() -> None:
    """The target is 1 where a number is missing and the category is odd, or neither is so, which no sum can say."""
    random = np.random.default_rng(2)
    absent, code = random.random(ROWS) < 0.5, random.integers(0, 300, ROWS)
    day = datetime.date(2024, 1, 1)
    values = {
        "number": pa.array(random.normal(size=ROWS), mask=absent),
        "category": pa.array([["even", "odd"][i % 2] for i in code]),
        "date": pa.array([day + datetime.timedelta(days=int(i)) for i in code], mask=absent),
        "datetime": pa.nulls(ROWS, pa.timestamp("us")),
        "boolean": pa.array(code % 2 == 0, mask=random.random(ROWS) < 0.1),
        "text": pa.array(["a text"] * ROWS),
        "none": pa.nulls(ROWS, pa.string()),
    }
    many = Column("many", TYPES["category"].config("category"))
    types = {name: "category" if name == "none" else name for name in values}
    columns = [*(Column(name, TYPES[kind].config(kind), nullable=True) for name, kind in types.items()), many]
    table = pa.table(values | {"many": pa.array([f"{i}" for i in range(ROWS)])})
    target = (absent == (code % 2 == 1)).astype(np.float64)
    rows = Split(np.array([f"{i:x}" for i in range(ROWS)]), table, target)
    first = np.arange(ROWS) < ROWS // 2
    errors = []
    for name in ("LinearRegression", TREES["regression"]):
        found = REFERENCES[name].answers(schema_of(columns), rows.where(first), rows.where(~first))
        errors.append(np.square(found - target[~first]).mean())
    assert errors[1] < 0.05 < 0.2 < errors[0]


@pytest.mark.parametrize(
    ("columns", "num_classes", "most"),
    [
        ([number("x")], 2, 9_800_000),
        ([number("x"), Column("t", TYPES["text"].config("text"))], 2, 9_800_000),
        ([number(f"x{i}") for i in range(500)], 2, 19_600),
        ([number("x")] * 4, 10, 200_000),
        ([Column("t", TYPES["text"].config("text"))], 2, 0),
        ([image("x", [2, 2, 1])], 2, 0),
        ([number("x"), image("y", [2, 2, 1])], 2, 0),
        ([number("x")], 1000, 0),
    ],
)
def test_trees_see_as_many_rows_of_a_table_as_take_seconds(columns: list[Column], num_classes: int, most: int) -> None:
    task = "binary" if num_classes == 2 else "multiclass"
    schema = schema_of(columns, task, [str(i) for i in range(num_classes)])
    assert REFERENCES[TREES[task]].most_rows(schema) == most
    assert REFERENCES[TASKS[task].references[0]].most_rows(schema) == MOST_ROWS


@pytest.mark.parametrize("longer", [0, 9])
def test_sequences_are_positions_or_kmers(longer: int) -> None:
    """The target is which base stands at a place, or a run of bases where sequences differ in length."""
    random = np.random.default_rng(4)
    texts = ["".join(random.choice(list("ACGT"), 8 + random.integers(0, longer + 1))) for _ in range(ROWS)]
    target = np.array([("GA" in text[1:]) if longer else text[3] in "AG" for text in texts]).astype(int)
    rows = split_of({"s": np.array(texts)}, target)
    first = np.arange(ROWS) < ROWS // 2
    schema = schema_of([sequence("s")], "binary", ["no", "yes"])
    name, trees_of_rows = TASKS["binary"].references
    assert REFERENCES[trees_of_rows].most_rows(schema) == 0
    answers = REFERENCES[name].answers(schema, rows.where(first), rows.where(~first))
    assert (answers.argmax(axis=1) == target[~first]).mean() > 0.9
    numbers = REFERENCES["LinearRegression"].answers(schema_of([sequence("s")]), rows.where(first), rows.where(~first))
    assert ((numbers > 0.5) == target[~first]).mean() > 0.9


def test_the_naive_forecast_is_the_last_value_of_the_target() -> None:
    config = SeriesColumn("series", window=2, channels=["a", "target"])
    schema = schema_of([Column("w", config)])
    rows = Split(np.array(["0", "1"]), pa.table({"w": as_stored(np.arange(8.0).reshape(2, 2, 2))}), np.zeros(2))
    assert REFERENCES["LastValue"].most_rows(schema) == MOST_ROWS
    assert REFERENCES["LastValue"].answers(schema, rows, rows).tolist() == [3.0, 7.0]
    assert REFERENCES["LastValue"].most_rows(schema_of([number("target")])) == 0
    assert REFERENCES["LastValue"].most_rows(replace(schema, target="b")) == 0


def test_a_reference_says_how_many_rows_it_has_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trees, "MOST_WORK", trees.PER_TREE + 1500)
    x = np.random.default_rng(3).normal(size=2000)
    rows, schema = split_of({"x": x}, 2 * x), schema_of([number("x")])
    report = build_report("made", EvaluationConfig(resamples=100), schema, rows, rows.target, rows, 2 * x, {})
    assert [(found["training_rows"], found["of_rows"]) for found in report["references"]] == [
        (2000, 2000),
        (1500, 2000),
    ]


def test_of_large_images_a_reference_sees_fewer() -> None:
    found = [most_rows(schema_of([image("x", shape)])) for shape in ([8, 8, 1], [28, 28, 1], [64, 64, 3])]
    assert found == [MOST_ROWS, MOST_ROWS, MOST_ROWS * 28 * 28 // (64 * 64 * 3)]


def test_of_long_recordings_a_reference_sees_fewer() -> None:
    columns = [AudioColumn("audio", rate=16_000, seconds=seconds) for seconds in (0.1, 1, 60)]
    assert [most_rows(schema_of([Column("x", column)])) for column in columns] == [10_000, 10_000, 326]


@pytest.mark.parametrize("seconds", [0.001, 0.005, 0.02])
def test_recordings_shorter_than_a_window_have_a_reference(seconds: float) -> None:
    column = AudioColumn("audio", rate=16_000, seconds=seconds)
    tones = np.sin(np.outer(np.where(np.arange(40) % 2, 2.0, 0.4), np.arange(column.samples))) / 2
    stored = Audio().convert(pa.array(list(tones)), column)
    assert stored is not None
    target = np.arange(40) % 2
    rows = Split(np.array([f"{i:x}" for i in range(40)]), pa.table({"x": stored.values}), target)
    answers = REFERENCES["LogisticRegression"].answers(
        schema_of([Column("x", column)], "binary", ["no", "yes"]), rows, rows
    )
    np.testing.assert_array_equal(answers.argmax(axis=1), target)


def test_the_spectra_of_a_reference_follow_no_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """`evaluate` does not depend on the schema of configurations."""
    names = dataclasses.fields(AudioFeaturesConfig)
    monkeypatch.setattr(AudioFeaturesConfig.__init__, "__defaults__", (None,) * len(names))
    assert dataclasses.astuple(AudioFeaturesConfig()) == (None,) * len(names)
    assert None not in dataclasses.astuple(importlib.reload(audio).FEATURES)
