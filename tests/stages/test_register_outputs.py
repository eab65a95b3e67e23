"""register on outputs that are incomplete, on a shared store, and beside runs made by hand."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.data.schema import NUMERIC, Feature, Schema
from pipeline.files import write_json
from pipeline.layout import Layout
from pipeline.tracking.store import Store
from tests.conftest import Run

EXPERIMENT, DATASET, ROWS = "linear_diabetes", "diabetes", 40


def write_outputs(root: Path, identity: str, gain: float = 0.0, column: str = "x", test: str = "t") -> None:
    """The files that prepare, train and evaluate leave, without running them."""
    layout = Layout(root)
    prepared, trained, evaluated = layout.prepared(DATASET), layout.trained(EXPERIMENT), layout.evaluated(EXPERIMENT)
    for folder in (prepared, trained, evaluated):
        folder.mkdir(parents=True, exist_ok=True)
    Schema(DATASET, "regression", "table", "hash", [], [Feature(column, NUMERIC, "float32", [])], "target").write(
        prepared
    )
    values = np.arange(ROWS, dtype=np.float32)
    for split in ("train", "validation", "test"):
        rows = [f"{split[:2]}{i:014x}" for i in range(ROWS)]
        pq.write_table(pa.table({"row": rows, column: values, "target": values}), prepared / f"{split}.parquet")
    error = np.random.default_rng(0).random(ROWS) + 1 - gain
    pq.write_table(pa.table({"row": rows, "prediction": values}), trained / "predictions.parquet")
    pq.write_table(pa.table({"row": rows, "target": values, "error": error}), evaluated / "scores.parquet")
    (trained / "model.keras").write_bytes(b"no model")
    (trained / "history.csv").write_text("epoch,loss,val_loss\n1,2.0,2.5\n2,1.0,1.5\n")
    parts = {"config": "c", "code": "d", "lock": "e", "threads": 2, "data": dict.fromkeys(("train", "validation"), "f")}
    known = {"identity": f"{EXPERIMENT}-{identity}", "experiment": EXPERIMENT, "dataset": DATASET, **parts}
    known["data"] = {**parts["data"], "test": test}
    write_json(trained / "identity.json", known)
    scored = {"value": 0.5 + gain, "low": 0.4, "high": 0.6}
    write_json(
        evaluated / "metrics.json",
        {"dataset": DATASET, "split": "hash", "primary": "r2", "test": {"r2": scored}, "reference": {"r2": 0.4}},
    )
    layout.resolved_experiment(EXPERIMENT).parent.mkdir(parents=True, exist_ok=True)
    layout.resolved_experiment(EXPERIMENT).write_text(f"name: {EXPERIMENT}\nseed: 1\n")


@pytest.fixture
def register(checkout: Path, pipeline: Run, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """`register(code)` runs the command, expects that exit code, and returns the last line of what it said."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    (checkout / "params.yaml").write_text(
        "seed: 1\nsplit: {seed: 1, test: 0.2, validation: 0.1}\ndatasets: [diabetes]\n"
        "experiments: {linear_diabetes: diabetes}\npromotion: {minima: {linear_diabetes: {r2: 0.1}}}\n"
    )
    write_outputs(checkout, "a" * 12)

    def run(code: int = 0) -> str:
        done = pipeline("register")
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout if code == 0 else done.stderr.splitlines()[-1]

    return run


@pytest.mark.parametrize(
    ("name", "stage"), [("train/{}/model.keras", "train"), ("evaluate/{}/metrics.json", "evaluate")]
)
def test_a_missing_output_names_the_stage(checkout: Path, register: Callable[..., str], name: str, stage: str) -> None:
    path = checkout / "build" / name.format(EXPERIMENT)
    path.unlink()
    assert register(2) == f"error: {path}: not found. Run: dvc repro {stage}@{EXPERIMENT}"


def test_a_minimum_of_an_unknown_metric_is_refused(register: Callable[..., str], edit) -> None:
    edit("params.yaml", "r2: 0.1", "r22: 0.1")
    assert register(2) == "error: params.yaml: promotion.minima: 'r22' is not a test metric (r2). Did you mean 'r2'?"


def test_a_clone_adds_nothing_to_a_run_that_the_store_has(checkout: Path, register: Callable[..., str]) -> None:
    register()
    client = Store(Layout(checkout)).client
    place = client.get_experiment_by_name(EXPERIMENT).experiment_id
    (first,) = client.search_runs([place])
    shutil.rmtree(checkout / "runs")
    register()
    (second,) = client.search_runs([place])
    assert second.to_dictionary() == first.to_dictionary()
    assert [point.step for point in client.get_metric_history(first.info.run_id, "loss")] == [1, 2]
    assert not (checkout / "runs").exists()


def test_a_rebuilt_journal_does_not_claim_this_machine(checkout: Path, register: Callable[..., str]) -> None:
    register()
    journal = next((checkout / "runs").glob("*/journal.jsonl")).read_text()
    tags = json.loads(journal.splitlines()[0])["tags"]
    assert tags["pipeline.rebuilt"] == "true"
    assert all(name.startswith("pipeline.") for name in tags)


def test_a_changed_evaluation_is_what_mlflow_shows(checkout: Path, register: Callable[..., str]) -> None:
    register()
    path = checkout / "build" / "evaluate" / EXPERIMENT / "metrics.json"
    path.write_text(path.read_text().replace("0.4,", "0.3,"))
    register()
    client = Store(Layout(checkout)).client
    (run,) = client.search_runs([client.get_experiment_by_name(EXPERIMENT).experiment_id])
    assert run.data.metrics["test_r2_low"] == 0.3
    assert len(client.get_metric_history(run.info.run_id, "test_r2")) == 1


def test_runs_by_hand_are_delivered_too(checkout: Path, register: Callable[..., str]) -> None:
    code = (
        "from pathlib import Path; from pipeline.tracking.journal import *; "
        "j = Journal(Path('runs/x-1/journal.jsonl')); j.start('x-1', 'x', {}, {}); j.end(FINISHED)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=checkout, check=True)
    assert "1 more runs delivered" in register()
    assert "delivered" not in register()


@pytest.mark.slow
def test_a_champion_that_cannot_read_the_rows_stays_and_does_not_block(
    checkout: Path, register: Callable[..., str]
) -> None:
    register()
    write_outputs(checkout, "b" * 12, gain=0.2, column="y", test="another")
    said = register()
    assert "challenger" in said
    assert "champion version 1 cannot be compared on this test split: model.keras: not a readable Keras model" in said
    assert register().splitlines()[1] == said.splitlines()[1]
    assert Store(Layout(checkout)).client.get_registered_model(EXPERIMENT).aliases == {"champion": 1, "challenger": 2}
