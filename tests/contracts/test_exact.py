"""`trainer=exact` finds scikit-learn's coefficients, with ridge terms and row weights, and resumes."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge

from pipeline.config import CheckpointConfig, Config
from pipeline.data.history import EpochValues
from pipeline.data.prepared import Split
from pipeline.data.sampling import TrainingData
from pipeline.data.schema import Schema
from pipeline.errors import ConfigError
from pipeline.model.assembly import Assembled
from pipeline.tracking.journal import Journal
from pipeline.training.examples import class_weights
from pipeline.training.fit import fit
from tests.contracts.test_families import config_of, features_of, rows_of, schema_of
from tests.contracts.test_resume import Killed, kill_at_save
from tests.made import array_of, inputs_of, number, split_of

L2 = 0.01


def config_for(task: str, l2: float = L2) -> Config:
    config = config_of("linear" if task == "regression" else "logistic", task)
    config.trainer.name, config.trainer.epochs, config.model.l2 = "exact", 50, l2
    return config


def solved(config: Config, task: str, folder: Path) -> tuple[Assembled, list[EpochValues]]:
    schema = schema_of("number", task)
    data = TrainingData(schema, rows_of(schema, 1), rows_of(schema, 2))
    return fit(config, data, folder, Journal(folder / "journal.jsonl"))


@pytest.mark.parametrize("l2", [0.0, L2])
def test_linear(l2: float, tmp_path: Path) -> None:
    model, history = solved(config_for("regression", l2), "regression", tmp_path)
    assert len(history) == 1
    train = rows_of(schema_of("number", "regression"), 1)
    features, target = features_of(model, train), model.head.training_target(train.target)
    expected = (Ridge(alpha=l2 * len(target)) if l2 else LinearRegression()).fit(features, target)
    kernel, bias = model.core.get_layer("head").get_weights()
    np.testing.assert_allclose(kernel.ravel(), expected.coef_.ravel(), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(bias, expected.intercept_, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_logistic(task: str, tmp_path: Path) -> None:
    schema = schema_of("number", task)
    model, history = solved(config_for(task), task, tmp_path)
    assert 2 < len(history) < 20
    train = rows_of(schema, 1)
    weight = class_weights(train.target, len(schema.classes))
    reference = LogisticRegression(C=1 / (2 * L2 * len(train.target)), tol=1e-10, max_iter=10_000)
    expected = reference.fit(features_of(model, train).astype(np.float64), train.target, weight.astype(np.float64))
    kernel, bias = model.core.get_layer("head").get_weights()
    np.testing.assert_allclose(kernel.T, expected.coef_, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(bias, expected.intercept_, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("at_the_end", [False, True])
def test_resumed_is_the_same(at_the_end: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = config_for("multiclass")
    config.checkpoint = CheckpointConfig(every_epochs=1)
    whole, history = solved(config, "multiclass", tmp_path / "whole")
    kill_at_save(monkeypatch, len(history) if at_the_end else 3)
    with pytest.raises(Killed):
        solved(config, "multiclass", tmp_path / "killed")
    monkeypatch.undo()
    resumed, again = solved(config, "multiclass", tmp_path / "killed")
    assert again == history
    for found, expected in zip(resumed.core.get_weights(), whole.core.get_weights(), strict=True):
        assert found.tobytes() == expected.tobytes()


SEPARATED = r"a plane separates the classes, without error or but for rows on the plane itself.* Set model\.l2"


def numbers(columns: dict[str, np.ndarray], target: np.ndarray, classes: int) -> tuple[Schema, Split]:
    features = [number(name) for name in columns]
    task = "binary" if classes == 2 else "multiclass"
    schema = Schema("made", task, "hash", features, "target", [f"class {k}" for k in range(classes)])
    return schema, split_of(columns, target.astype(np.int32))


def solved_rows(schema: Schema, rows: Split, folder: Path, standardize: bool = True) -> Assembled:
    config = config_for(schema.task, 0.0)
    config.preprocessing.standardize = standardize
    config.trainer.class_weight = "none"
    return fit(config, TrainingData(schema, rows, rows), folder, Journal(folder / "journal.jsonl"))[0]


def test_classes_that_can_be_separated_have_no_minimum(tmp_path: Path) -> None:
    schema = schema_of("number", "binary")
    rows = rows_of(schema, 1)
    first = array_of(rows, schema.features[0].name)
    told_apart = replace(rows, target=(first > np.median(first)).astype(np.int32))
    with pytest.raises(ConfigError, match=SEPARATED):
        solved_rows(schema, told_apart, tmp_path)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_iris_of_which_one_class_can_be_separated_has_no_minimum(seed: int, tmp_path: Path) -> None:
    bunch = load_iris()
    kept = np.random.default_rng(seed).permutation(len(bunch.target))[:105]
    columns = {name: bunch.data[kept, i] for i, name in enumerate(bunch.feature_names)}
    with pytest.raises(ConfigError, match=SEPARATED):
        solved_rows(*numbers(columns, bunch.target[kept], 3), tmp_path)


@pytest.mark.parametrize("standardize", [True, False])
def test_rows_on_the_plane_itself_do_not_make_a_minimum(standardize: bool, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    side = np.repeat([-1.0, 0.0, 1.0], 20)
    target = np.where(side == 0, np.arange(60) % 2, side > 0)
    columns = {"side": 1000 + side, "other": random.normal(size=60)}
    with pytest.raises(ConfigError, match=SEPARATED):
        solved_rows(*numbers(columns, target, 2), tmp_path, standardize)


@pytest.mark.parametrize("classes", [2, 3])
def test_one_row_on_the_wrong_side_makes_a_minimum(classes: int, tmp_path: Path) -> None:
    """Far out, but there: the gradient of scikit-learn's own loss is 0 at these weights."""
    random = np.random.default_rng(1)
    target = np.arange(120) % classes
    columns = {"x": 20.0 * target + random.normal(size=120), "noise": random.normal(size=120)}
    wrong = target.copy()
    wrong[:classes] = (wrong[:classes] + 1) % classes
    schema, rows = numbers(columns, wrong, classes)
    model = solved_rows(schema, rows, tmp_path)
    features = features_of(model, rows).astype(np.float64)
    kernel, bias = model.core.get_layer("head").get_weights()
    logits = features @ kernel + bias
    p = 1 / (1 + np.exp(-logits)) if classes == 2 else np.exp(logits - logits.max(axis=1, keepdims=True))
    p = p / (1 if classes == 2 else p.sum(axis=1, keepdims=True))
    y = wrong[:, np.newaxis] if classes == 2 else np.eye(classes)[wrong]
    assert np.abs(features.T @ (p - y) / 120).max() < 1e-6
    assert np.abs((p - y).mean(axis=0)).max() < 1e-6


def test_features_that_differ_by_little_can_separate(tmp_path: Path) -> None:
    """Their difference is a millionth, but above the rounding of float32: it tells the classes apart without error."""
    random = np.random.default_rng(3)
    first = random.normal(size=200)
    gap = random.choice([-1.0, 1.0], 200) * random.uniform(0.5, 1, 200)
    second = (first + 1e-6 * gap).astype(np.float32)
    target = gap > 0
    assert ((second - first.astype(np.float32) > 0) == target).all()
    with pytest.raises(ConfigError, match=SEPARATED):
        solved_rows(*numbers({"first": first, "second": second}, target, 2), tmp_path)


@pytest.mark.parametrize("near", [1e-4, 1e-7])
def test_rows_just_beyond_the_plane_make_a_minimum(near: float, tmp_path: Path) -> None:
    side = np.array([-1.0] * 1000 + [1.0] * 1000 + [-near, near])
    schema, rows = numbers({"side": side}, np.append(side[:2000] > 0, [True, False]), 2)
    model = solved_rows(schema, rows, tmp_path)
    kernel, _ = model.core.get_layer("head").get_weights()
    assert 10 < kernel[0, 0] < 30


@pytest.mark.parametrize("weight", [1e-12, 1e12])
def test_units_of_row_weights_do_not_matter(weight: float, tmp_path: Path) -> None:
    random = np.random.default_rng(4)
    x = random.normal(size=100)
    schema, rows = numbers({"x": x}, x + random.normal(size=100) > 0, 2)
    found = [
        solved_rows(schema, replace(rows, weight=w), tmp_path / name).core.get_layer("head").get_weights()
        for name, w in (("plain", None), ("weighted", np.full(100, weight, np.float32)))
    ]
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5)


def test_a_penalty_too_small_is_named(tmp_path: Path) -> None:
    schema, rows = numbers({"x": np.linspace(-1, 1, 40)}, np.linspace(-1, 1, 40) > 0, 2)
    config = config_for("binary", 1e-16)
    with pytest.raises(ConfigError, match=r"no minimum that float64 can tell\. Raise model\.l2\."):
        fit(config, TrainingData(schema, rows, rows), tmp_path, Journal(tmp_path / "journal.jsonl"))


def test_features_too_far_from_0_for_float32_are_refused(tmp_path: Path) -> None:
    x = 1e7 + np.random.default_rng(5).normal(size=100) * 3
    schema, rows = numbers({"x": x}, np.arange(100) % 2, 2)
    with pytest.raises(ConfigError, match=r"mean lies \d+ deviations from 0, .* Set preprocessing\.standardize=true"):
        solved_rows(schema, rows, tmp_path, standardize=False)


@pytest.mark.parametrize("units", [1e-12, 1.0, 1e12])
def test_units_of_unstandardized_features_do_not_matter(units: float, tmp_path: Path) -> None:
    random = np.random.default_rng(2)
    x = random.normal(size=(100, 2))
    target = (x @ [1.0, -1.0] + random.normal(size=100) > 0).astype(int)
    schema, rows = numbers({"a": x[:, 0] * units, "b": x[:, 1] + 50, "constant": np.full(100, 7.0)}, target, 2)
    model = solved_rows(schema, rows, tmp_path, standardize=False)
    expected = LogisticRegression(C=np.inf, tol=1e-10, max_iter=10_000).fit(x, target)
    kernel, _ = model.core.get_layer("head").get_weights()
    np.testing.assert_allclose(kernel.ravel(), [*(expected.coef_[0] / [units, 1.0]), 0.0], rtol=1e-3, atol=1e-20)
    answers = np.asarray(model.served.predict(inputs_of(schema, rows), verbose=0))[:, 0]
    np.testing.assert_allclose(answers, expected.predict_proba(x)[:, 1], rtol=2e-3)
