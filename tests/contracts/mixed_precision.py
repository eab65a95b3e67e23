"""`trainer.precision=mixed_bfloat16`, under the instructions that it takes: `test_settings.py` runs this file in a
process of its own, with PIPELINE_TEST_PRECISION set."""

import os
from pathlib import Path

import keras
import numpy as np
import pytest

from pipeline.data.sampling import TrainingData
from pipeline.serving.archive import load_served, precision_of, save_canonical
from pipeline.tracking.journal import Journal
from pipeline.training.fit import fit
from tests.contracts import test_resume
from tests.contracts.test_families import rows_of, schema_of
from tests.contracts.test_resume import config_for, forget_last_checkpoint, run
from tests.made import inputs_of

NETWORKS = [case for case in test_resume.CASES if case[0] in ("mlp", "cnn", "rnn")]
# a recurrent network of each cell: oneDNN has kernels of its own for them
CASES = [(case, cell) for case in NETWORKS for cell in (("gru", "lstm", "simple") if case[0] == "rnn" else ("",))]


@pytest.mark.parametrize(("case", "cell"), CASES)
def test_it_trains_resumes_and_answers_in_float32(case: tuple[str, str, str], cell: str, tmp_path: Path) -> None:
    assert "ONEDNN_MAX_CPU_ISA" not in os.environ, "a real run of this precision is not capped"
    config = config_for("compiled", case)
    config.trainer.precision = "mixed_bfloat16"
    config.trainer.check()
    if cell:
        config.model.cell = cell
    schema, folder = schema_of(*case[1:]), tmp_path / "run"
    data = TrainingData(schema, rows_of(schema, 1), rows_of(schema, 2))
    model, history = fit(config, data, folder, Journal(folder / "journal.jsonl"))
    weights = [weight.tobytes() for weight in model.core.get_weights()]
    assert history[-1]["loss"] < history[0]["loss"]
    assert keras.config.dtype_policy().name == "float32", "the next session starts as it should"
    save_canonical(model.served, schema, tmp_path / "model.keras")
    assert precision_of(tmp_path / "model.keras") == "mixed_bfloat16"
    answers = load_served(tmp_path / "model.keras").predict(inputs_of(schema, rows_of(schema, 2)), verbose=0)
    assert answers.dtype == np.float32
    forget_last_checkpoint(folder)
    assert run(config, case, folder) == (weights, history)
