"""`trainer=exact` finds scikit-learn's coefficients, with ridge terms and row weights, and resumes."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge

from pipeline.config import BINARY, MULTICLASS, REGRESSION, CheckpointConfig, Config
from pipeline.errors import ConfigError
from pipeline.model.assembly import Assembled
from pipeline.tracking.journal import Journal
from pipeline.training.fit import fit
from pipeline.training.job import EpochValues, class_weights
from tests.contracts.test_families import config_of, features_of, rows_of, schema_of
from tests.contracts.test_resume import Killed, kill_at_save

L2 = 0.01


def config_for(task: str, l2: float = L2) -> Config:
    config = config_of("linear" if task == REGRESSION else "logistic", task)
    config.trainer.name, config.trainer.epochs, config.model.l2 = "exact", 50, l2
    return config


def solved(config: Config, task: str, folder: Path) -> tuple[Assembled, list[EpochValues]]:
    schema = schema_of("table", task)
    return fit(config, schema, rows_of(schema, 1), rows_of(schema, 2), Journal(folder / "journal.jsonl"), folder, {})


@pytest.mark.parametrize("l2", [0.0, L2])
def test_linear(l2: float, tmp_path: Path) -> None:
    model, history = solved(config_for(REGRESSION, l2), REGRESSION, tmp_path)
    assert len(history) == 1
    train = rows_of(schema_of("table", REGRESSION), 1)
    features, target = features_of(model, train), model.head.training_target(train.target)
    expected = (Ridge(alpha=l2 * len(target)) if l2 else LinearRegression()).fit(features, target)
    kernel, bias = model.core.get_layer("head").get_weights()
    np.testing.assert_allclose(kernel.ravel(), expected.coef_.ravel(), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(bias, expected.intercept_, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("task", [BINARY, MULTICLASS])
def test_logistic(task: str, tmp_path: Path) -> None:
    schema = schema_of("table", task)
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
    config = config_for(MULTICLASS)
    config.checkpoint = CheckpointConfig(every_epochs=1)
    whole, history = solved(config, MULTICLASS, tmp_path / "whole")
    kill_at_save(monkeypatch, len(history) if at_the_end else 3)
    with pytest.raises(Killed):
        solved(config, MULTICLASS, tmp_path / "killed")
    monkeypatch.undo()
    resumed, again = solved(config, MULTICLASS, tmp_path / "killed")
    assert again == history
    for found, expected in zip(resumed.core.get_weights(), whole.core.get_weights(), strict=True):
        assert found.tobytes() == expected.tobytes()


def test_classes_that_can_be_separated_have_no_minimum(tmp_path: Path) -> None:
    schema = schema_of("table", BINARY)
    rows = rows_of(schema, 1)
    first = rows.inputs[schema.features[0].name]
    told_apart = replace(rows, target=(first > np.median(first)).astype(np.int32))
    journal = Journal(tmp_path / "journal.jsonl")
    with pytest.raises(ConfigError, match=r"a plane separates the classes .* Set model\.l2"):
        fit(config_for(BINARY, 0.0), schema, told_apart, told_apart, journal, tmp_path, {})


def test_other_families_are_refused() -> None:
    config = config_of("cnn", MULTICLASS)
    config.trainer.name = "exact"
    with pytest.raises(ConfigError, match="trainer exact solves linear and logistic models, found cnn"):
        config.check()
