"""register on outputs that are incomplete, on a shared store, and beside runs made by hand."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from mlflow import MlflowClient

from pipeline.layout import Layout
from pipeline.tracking.journal import FINISHED, Journal
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
    assert (
        register(2)
        == "error: params.yaml: promotion.minima: 'r22' is not a test metric (mae, rmse, r2). Did you mean 'r2'?"
    )


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
    assert run.data.tags["interval"] == run.data.tags["test_r2_interval"] == "0.3 to 0.6"
    assert run.data.metrics["score"] == run.data.metrics["test_r2"] == 0.5
    assert "test_r2_low" not in run.data.metrics, "it would be a chart of one point"
    assert len(client.get_metric_history(run.info.run_id, "test_r2")) == 1


def run_by_hand(checkout: Path) -> None:
    """Leave the journal of a run of experiment x, ended."""
    journal = Journal(checkout / "runs" / "x-1" / "journal.jsonl")
    journal.start("x-1", "x", {}, {})
    journal.end(FINISHED)


def test_runs_by_hand_are_delivered_too(checkout: Path, register: Callable[..., str]) -> None:
    run_by_hand(checkout)
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


def client_of(checkout: Path) -> MlflowClient:
    return Store(Layout(checkout)).client


def test_a_rollback_by_hand_holds_until_a_new_identity_comes(checkout: Path, register: Callable[..., str]) -> None:
    register()
    write_outputs(checkout, "b" * 12, gain=0.5)
    assert "better than champion version 1" in register()
    client = client_of(checkout)
    client.set_registered_model_alias(EXPERIMENT, "champion", 1)
    for _ in range(2):
        row = register().splitlines()[1]
        assert row.endswith("challenger  2        champion is version 1, set by hand; 2 stays challenger"), row
        assert client.get_registered_model(EXPERIMENT).aliases["champion"] == 1
    # neither another evaluation of the same model nor another rule moves what a person has set
    report = checkout / "build" / "evaluate" / EXPERIMENT / "report.json"
    report.write_text(report.read_text().replace("0.4,", "0.3,"))
    assert "2 stays challenger" in register()
    write_outputs(checkout, "c" * 12, gain=0.7)
    assert "better than champion version 1" in register()
    assert client.get_registered_model(EXPERIMENT).aliases["champion"] == 3
    client.delete_registered_model_alias(EXPERIMENT, "champion")
    assert "champion is no version, by hand; 3 stays challenger" in register()


def test_a_verdict_is_given_once(checkout: Path, register: Callable[..., str], edit) -> None:
    register()
    write_outputs(checkout, "b" * 12, gain=-0.001)
    row = register().splitlines()[1]
    assert "not shown to be better than champion version 1" in row
    tags = client_of(checkout).get_model_version(EXPERIMENT, 2).tags
    assert register().splitlines()[1] == row
    assert client_of(checkout).get_model_version(EXPERIMENT, 2).tags == tags
    # another rule is another question
    edit("params.yaml", "r2: 0.1", "r2: 0.9")
    assert "r2 0.499 is below the minimum 0.9" in register()
    # what came back, came back to where it was
    write_outputs(checkout, "a" * 12)
    assert " champion " in register().splitlines()[1]


@pytest.mark.parametrize("files", [True, False], ids=["its files are there", "its files are gone"])
def test_a_champion_registered_by_hand_has_no_evidence(
    files: bool, checkout: Path, register: Callable[..., str]
) -> None:
    client = client_of(checkout)
    folder = checkout / "by_hand"
    if files:
        folder.mkdir()
        (folder / "model.bin").write_bytes(b"x")
    client.create_registered_model(EXPERIMENT)
    client.create_model_version(EXPERIMENT, folder.as_uri())
    client.set_registered_model_alias(EXPERIMENT, "champion", 1)
    row = register().splitlines()[1]
    assert "challenger  2        champion version 1 has no evidence" in row


def test_what_cannot_be_delivered_stops_nothing_else(
    checkout: Path, register: Callable[..., str], pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    params = checkout / "params.yaml"
    params.write_text(
        params.read_text().replace("experiments: {", "experiments: {logistic_lost: diabetes, linear_gone: diabetes, ")
    )
    hurt = checkout / "runs" / "made-000000000000"
    hurt.mkdir(parents=True)
    start = {"type": "start", "time": 1, "identity": hurt.name, "experiment": "", "params": {}, "tags": {}}
    end = {"type": "end", "time": 2, "status": "FINISHED"}
    (hurt / "journal.jsonl").write_text("".join(f"{json.dumps(record)}\n" for record in (start, end)))
    done = pipeline("register")
    assert done.returncode == 2
    lines = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    for experiment in ("logistic_lost", "linear_gone"):
        assert any(f"Run: dvc repro train@{experiment}" in line for line in lines), lines
    assert any("refuses this: " in line and "experiment name" in line for line in lines), lines
    assert len(lines) == 3
    assert " champion " in next(line for line in done.stdout.splitlines() if line.startswith(EXPERIMENT))
    assert not (checkout / "build" / "registered.json").exists(), "so the stage runs again"


def test_a_run_that_was_purged_stays_away(checkout: Path, register: Callable[..., str]) -> None:
    run_by_hand(checkout)
    assert "1 more runs delivered" in register()
    client = client_of(checkout)
    (run,) = client.search_runs([client.get_experiment_by_name("x").experiment_id])
    client.delete_run(run.info.run_id)
    client._tracking_client.store._hard_delete_run(run.info.run_id)  # as `mlflow gc` does
    assert "delivered" not in register()
    (checkout / "mlflow.db").rename(checkout / "elsewhere.db")
    assert "1 more runs delivered" in register(), "another store has not had it"
