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
from pipeline.data.prepared import Split, TrainingData
from pipeline.data.schema import IMAGE, NUMERIC, Feature, Schema
from pipeline.errors import ConfigError
from pipeline.matching import check_family
from pipeline.model.assembly import Assembled, assemble
from pipeline.model.families import FAMILIES
from pipeline.model.preprocessing import PREPROCESSING
from pipeline.serving.archive import load_served, save_canonical
from pipeline.serving.batch import predict
from pipeline.tasks import TASKS
from pipeline.tracking.journal import Journal
from pipeline.training.fit import fit

ROWS = 48
CASES = [
    (family, modality, task)
    for family, modality, task in itertools.product(FAMILIES, PREPROCESSING, TASKS)
    if PREPROCESSING[modality].gives in FAMILIES[family].accepts and task in FAMILIES[family].tasks
]
REFUSED = [case for case in itertools.product(FAMILIES, PREPROCESSING, TASKS) if case not in CASES]


def schema_of(modality: str, task: str) -> Schema:
    classes = {"regression": [], "binary": ["no", "yes"]}.get(task, ["a", "b", "c"])
    if modality == "image":
        features = [Feature("image", IMAGE, "float32", [6, 5, 1])]
    else:
        features = [Feature(name, NUMERIC, "float32", []) for name in ("first column", "second")]
    return Schema("made", task, modality, "hash", classes, features, "target")


def rows_of(schema: Schema, seed: int) -> Split:
    """Rows whose target can be learned: it follows the inputs' mean."""
    random = np.random.default_rng(seed)
    inputs = {f.name: random.uniform(0, 8, (ROWS, *f.shape)).astype(np.float32) for f in schema.features}
    shift = random.uniform(0, 8, ROWS).astype(np.float32)
    inputs = {name: x + shift.reshape(ROWS, *[1] * (x.ndim - 1)) for name, x in inputs.items()}
    if schema.task == "regression":
        target = 30 + 10 * shift
    else:
        target = np.minimum(shift / 8 * len(schema.classes), len(schema.classes) - 1).astype(np.int32)
    return Split(np.array([f"{seed}-{i}" for i in range(ROWS)]), inputs, target)


def features_of(model: Assembled, split: Split) -> np.ndarray:
    return np.concatenate(list(model.feature_chunks(split)))


def config_of(family: str, task: str) -> Config:
    trainer = TrainerConfig(name="keras", epochs=8, batch_size=10, optimizer=OptimizerConfig(learning_rate=0.02))
    trainer.class_weight = "none" if task == "regression" else "balanced"
    return Config(
        "made",
        1,
        SplitConfig(1, 0.2, 0.1),
        DatasetConfig("made"),
        FAMILIES[family].config(family=family),
        trainer=trainer,
    )


@pytest.mark.parametrize(("family", "modality", "task"), CASES)
def test_family(family: str, modality: str, task: str, tmp_path: Path) -> None:
    schema = schema_of(modality, task)
    train, validation = rows_of(schema, 1), rows_of(schema, 2)
    config = config_of(family, task)
    made = []
    for attempt in ("first", "second"):
        journal = Journal(tmp_path / attempt / "journal.jsonl")
        model, history = fit(config, TrainingData(schema, train, validation), tmp_path / attempt, journal)
        save_canonical(model.served, tmp_path / attempt / "model.keras")
        made.append((history, (tmp_path / attempt / "model.keras").read_bytes()))
    assert made[0][0] == made[1][0], "two runs of one seed have different histories"
    assert made[0][1] == made[1][1], "two runs of one seed save different bytes"
    history = made[0][0]
    assert history[-1]["loss"] < history[0]["loss"]
    assert list(history[0]) == ["loss", model.head.metric, "val_loss", f"val_{model.head.metric}", "learning_rate"]

    served = load_served(tmp_path / "first" / "model.keras")
    expected = np.asarray(model.served.predict(validation.inputs, verbose=0))
    np.testing.assert_array_equal(served.predict(validation.inputs, verbose=0), expected)
    columns = predict(served, validation.inputs)
    values = np.stack(list(columns.values()), axis=1)
    if task == "regression":
        assert list(columns) == ["prediction"]
        # the answer is in the target's own unit, not in standardised ones
        assert abs(values.mean() - train.target.mean()) < train.target.std()
    else:
        assert list(columns) == [f"p_{k}" for k in range(len(schema.classes))]
        np.testing.assert_allclose(values.sum(axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize("xla", ["off", "on"])
def test_two_classes_of_a_multiclass_task_have_an_output_each(xla: str, tmp_path: Path) -> None:
    """The task decides the head, not the number of classes."""
    schema = replace(schema_of("table", "binary"), task="multiclass")
    config = config_of("logistic", "multiclass")
    config.trainer.name, config.trainer.xla = "compiled", xla
    rows = rows_of(schema, 1)
    model, history = fit(config, TrainingData(schema, rows, rows), tmp_path, Journal(tmp_path / "journal.jsonl"))
    assert history[-1]["loss"] < history[0]["loss"]
    found = predict(model.served, rows.inputs)
    assert list(found) == ["p_0", "p_1"]
    np.testing.assert_allclose(found["p_0"] + found["p_1"], 1, rtol=1e-6)
    assert ((found["p_1"] > 0.5) == rows.target).mean() > 0.7


@pytest.mark.parametrize(("family", "modality", "task"), REFUSED)
def test_refused_pair(family: str, modality: str, task: str) -> None:
    with pytest.raises(ConfigError, match=f"model {family} (takes|answers) .* Choose one of: "):
        check_family(family, DatasetConfig("made", "inline", modality, task))


def test_preprocessing_learns_from_the_training_rows_alone() -> None:
    schema = schema_of("table", "regression")
    train = rows_of(schema, 1)
    keras.utils.set_random_seed(0)
    model = assemble(config_of("linear", "regression"), schema, train)
    features = features_of(model, train)
    np.testing.assert_allclose(features.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(features.std(axis=0), 1, atol=1e-4)
