"""register on outputs that are incomplete, on a shared store, and beside runs made by hand."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.layout import Layout
from pipeline.tracking.store import Store
from tests.outputs import EXPERIMENT, write_outputs


@pytest.mark.parametrize(
    ("name", "stage"), [("train/{}/model.keras", "train"), ("evaluate/{}/report.json", "evaluate")]
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
    path = checkout / "build" / "evaluate" / EXPERIMENT / "report.json"
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
