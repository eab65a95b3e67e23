"""Every trainer gives what `Model.fit` gives, fed the same order: each epoch's values and the final weights."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.config import EarlyStoppingConfig
from pipeline.data.history import EpochValues
from pipeline.data.sampling import TrainingData
from pipeline.model.assembly import Assembled
from pipeline.tracking.journal import Journal
from pipeline.training import TRAINERS
from pipeline.training.fit import fit
from tests.contracts.test_families import PAIRS, config_of, rows_of, schema_of

OTHERS = [name for name in TRAINERS if name not in ("keras", "exact")]  # exact goes another way


def trained(
    trainer: str, case: tuple[str, str, str], folder: Path, patience: int = 0
) -> tuple[Assembled, list[EpochValues]]:
    family, column, task = case
    schema = schema_of(column, task)
    config = config_of(family, task)
    config.trainer.name = trainer
    config.trainer.epochs = 12 if patience else 3
    config.trainer.early_stopping = EarlyStoppingConfig(patience=patience)
    config.trainer.optimizer.schedule = "constant" if patience else "cosine"
    config.trainer.optimizer.learning_rate = 0.3 if patience else 0.02
    config.trainer.optimizer.clip_norm = 1.0
    if family == "cnn":
        # Adam divides by the gradient's size, so that behind batch norm it makes rounding visible
        config.trainer.optimizer.name, config.trainer.optimizer.momentum = "sgd", 0.9
    config.model.l2 = 0.01
    journal = Journal(folder / trainer / "journal.jsonl")
    return fit(config, TrainingData(schema, rows_of(schema, 1), rows_of(schema, 2)), folder / trainer, journal)


@pytest.mark.parametrize("trainer", OTHERS)
@pytest.mark.parametrize("case", PAIRS, ids="-".join)
def test_same_values_and_weights_as_fit(trainer: str, case: tuple[str, str, str], tmp_path: Path) -> None:
    expected_model, expected = trained("keras", case, tmp_path)
    weights = expected_model.core.get_weights()
    model, history = trained(trainer, case, tmp_path)
    assert len(history) == len(expected)
    for values, wanted in zip(history, expected, strict=True):
        assert list(values) == list(wanted)
        np.testing.assert_allclose(list(values.values()), list(wanted.values()), rtol=1e-5, atol=1e-6)
    for found, wanted in zip(model.core.get_weights(), weights, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("trainer", OTHERS)
def test_early_stopping_keeps_the_best_weights_as_fit_does(trainer: str, tmp_path: Path) -> None:
    case = ("linear", "number", "regression")
    expected_model, expected = trained("keras", case, tmp_path, patience=2)
    weights = expected_model.core.get_weights()
    model, history = trained(trainer, case, tmp_path, patience=2)
    assert len(history) == len(expected) < 12, "stopped early"
    best = min(range(len(history)), key=lambda i: history[i]["val_loss"])
    assert best < len(history) - 1
    for found, wanted in zip(model.core.get_weights(), weights, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)
