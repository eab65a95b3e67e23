"""One checklist for every family on every kind of features and every task that it declares."""

import itertools
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from pipeline.config import (
    Config,
    DatasetConfig,
    OptimizerConfig,
    SplitConfig,
    TrainerConfig,
)
from pipeline.data.prepared import Split
from pipeline.data.sampling import TrainingData
from pipeline.data.schema import Schema
from pipeline.data.sources.sklearn import SklearnDataset
from pipeline.data.sources.table import TableDataset
from pipeline.errors import ConfigError
from pipeline.matching import check_family, refused
from pipeline.model.assembly import Assembled, assemble
from pipeline.model.families import FAMILIES
from pipeline.serving.archive import load_served, save_canonical
from pipeline.serving.batch import predict
from pipeline.tasks import TASKS
from pipeline.tracking.journal import Journal
from pipeline.training.fit import fit
from tests.made import category, image, inputs_of, number, sequence, split_of, text

ROWS, SHAPE = 48, [6, 5, 1]
# numbers and categories; images; texts; and sequences
TYPES = ("number", "image", "text", "sequence")
CASES = [
    (family, column, task)
    for family, column, task in itertools.product(FAMILIES, TYPES, TASKS)
    if not refused(FAMILIES[family], [column]) and task in FAMILIES[family].tasks
]
REFUSED = [case for case in itertools.product(FAMILIES, TYPES, TASKS) if case not in CASES]


def pairs_of(cases: list[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
    """As few of the cases as have each family with each of its columns and with each of its tasks. A column ends where
    the features begin and a task begins where they end, so that no code sees both."""
    found: list[tuple[str, str, str]] = []
    for family in dict.fromkeys(case[0] for case in cases):
        columns, tasks = (list(dict.fromkeys(case[i] for case in cases if case[0] == family)) for i in (1, 2))
        pairs = [(columns[i % len(columns)], tasks[i % len(tasks)]) for i in range(max(len(columns), len(tasks)))]
        assert {(family, *pair) for pair in pairs} <= set(cases)
        found += [(family, *pair) for pair in pairs]
    return found


PAIRS = pairs_of(CASES)
# Two blocks, both of which are pooled, have all that more of them have; a wider one takes XLA longer to compile.
SMALL = {"cnn": {"filters": [8, 8]}, "rnn": {"units": [16]}}


def schema_of(column: str, task: str) -> Schema:
    classes = {"regression": [], "binary": ["no", "yes"]}.get(task, ["a", "b", "c"])
    features = [number("first column"), number("second"), category("third")]
    if column == "image":
        features = [image("image", SHAPE)]
    if column == "text":
        features = [text("a text")]
    if column == "sequence":
        features = [sequence("a sequence")]
    return Schema("made", task, "hash", features, "target", classes)


def rows_of(schema: Schema, seed: int) -> Split:
    """Rows whose target can be learned: it follows the inputs' mean."""
    random = np.random.default_rng(seed)
    shapes = {c.name: SHAPE if c.config.type == "image" else [] for c in schema.features}
    inputs = {name: random.uniform(0, 8, (ROWS, *shape)).astype(np.float32) for name, shape in shapes.items()}
    shift = random.uniform(0, 8, ROWS).astype(np.float32)
    inputs = {name: x + shift.reshape(ROWS, *[1] * (x.ndim - 1)) for name, x in inputs.items()}
    if "a text" in inputs:
        inputs["a text"] = np.array([" ".join(["more"] * int(2 * s) + ["or less"]) for s in shift])
    if "a sequence" in inputs:
        inputs["a sequence"] = np.array(["AC" * int(2 * s) + "GGTN" for s in shift])
    if "third" in inputs:
        inputs["third"] = np.where(inputs["third"] > 8, "high", "low")
    if schema.task == "regression":
        target = 30 + 10 * shift
    else:
        target = np.minimum(shift / 8 * len(schema.classes), len(schema.classes) - 1).astype(np.int32)
    return replace(split_of(inputs, target), rows=np.array([f"{seed}-{i}" for i in range(ROWS)]))


def features_of(model: Assembled, split: Split) -> np.ndarray:
    """The features of the one kind that there is."""
    return np.concatenate([next(iter(chunk.values())) for chunk in model.feature_chunks(split)])


def config_of(family: str, task: str) -> Config:
    trainer = TrainerConfig(name="keras", epochs=8, batch_size=10, optimizer=OptimizerConfig(learning_rate=0.02))
    trainer.class_weight = "none" if task == "regression" else "balanced"
    return Config(
        "made",
        1,
        SplitConfig(1, 0.2, 0.1),
        DatasetConfig("made"),
        FAMILIES[family].config(family=family, **SMALL.get(family, {})),
        trainer=trainer,
    )


@pytest.mark.parametrize(("family", "column", "task"), PAIRS)
def test_family(family: str, column: str, task: str, tmp_path: Path) -> None:
    schema = schema_of(column, task)
    train, validation = rows_of(schema, 1), rows_of(schema, 2)
    config = config_of(family, task)
    made = []
    for attempt in ("first", "second"):
        journal = Journal(tmp_path / attempt / "journal.jsonl")
        model, history = fit(config, TrainingData(schema, train, validation), tmp_path / attempt, journal)
        save_canonical(model.served, schema, tmp_path / attempt / "model.keras")
        made.append((history, (tmp_path / attempt / "model.keras").read_bytes()))
    assert made[0][0] == made[1][0], "two runs of one seed have different histories"
    assert made[0][1] == made[1][1], "two runs of one seed save different bytes"
    history = made[0][0]
    assert history[-1]["loss"] < history[0]["loss"]
    assert list(history[0]) == ["loss", model.head.metric, "val_loss", f"val_{model.head.metric}", "learning_rate"]

    served = load_served(tmp_path / "first" / "model.keras")
    expected = np.asarray(model.served.predict(inputs_of(schema, validation), verbose=0))
    np.testing.assert_array_equal(served.predict(inputs_of(schema, validation), verbose=0), expected)
    columns = predict(served, schema, validation.table)
    if task == "regression":
        assert list(columns) == ["prediction"]
        values = columns["prediction"]
        # the answer is in the target's own unit, not in standardised ones
        assert abs(values.mean() - train.target.mean()) < train.target.std()
    else:
        assert list(columns) == ["prediction", *(f"probability_{name}" for name in schema.classes)]
        values = np.stack(list(columns.values())[1:], axis=1).astype(float)
        np.testing.assert_allclose(values.sum(axis=1), 1, rtol=1e-5)
        assert columns["prediction"].tolist() == [schema.classes[k] for k in values.argmax(axis=1)]


@pytest.mark.parametrize("xla", ["off", "on"])
def test_two_classes_of_a_multiclass_task_have_an_output_each(xla: str, tmp_path: Path) -> None:
    """The task decides the head, not the number of classes."""
    schema = replace(schema_of("number", "binary"), task="multiclass")
    config = config_of("logistic", "multiclass")
    config.trainer.name, config.trainer.xla = "compiled", xla
    rows = rows_of(schema, 1)
    model, history = fit(config, TrainingData(schema, rows, rows), tmp_path, Journal(tmp_path / "journal.jsonl"))
    assert history[-1]["loss"] < history[0]["loss"]
    found = predict(model.served, schema, rows.table)
    assert list(found) == ["prediction", "probability_no", "probability_yes"]
    np.testing.assert_allclose(found["probability_no"] + found["probability_yes"], 1, rtol=1e-6)
    assert ((found["prediction"] == "yes") == rows.target).mean() > 0.7


def dataset_of(column: str, task: str) -> DatasetConfig:
    if column in ("text", "sequence"):
        return TableDataset(name="made", source="table", task=task, path="rows.csv", target="y", columns={"x": column})
    return SklearnDataset("made", "sklearn", task, images=column == "image")


@pytest.mark.parametrize(("family", "column", "task"), REFUSED)
def test_refused_pair(family: str, column: str, task: str) -> None:
    with pytest.raises(ConfigError, match=f"model {family} (takes|answers) .* Choose one of: "):
        check_family(family, dataset_of(column, task))


def test_preprocessing_learns_from_the_training_rows_alone() -> None:
    schema = schema_of("number", "regression")
    train = rows_of(schema, 1)
    keras.utils.set_random_seed(0)
    model = assemble(config_of("linear", "regression"), schema, train)
    features = features_of(model, train)[:, :2]
    np.testing.assert_allclose(features.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(features.std(axis=0), 1, atol=1e-4)
