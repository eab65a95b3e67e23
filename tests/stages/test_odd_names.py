"""An experiment in a folder, and columns as people call them: by hand, in a sweep, in DVC's stages, in MLflow."""

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from pipeline.layout import Layout
from pipeline.tracking.store import Store
from tests.conftest import Run

NAME, MODEL = "team/small", "team.small"
COLUMNS = ["km/h", "a b", "50%?", "c,d", "e[0]", "f\\g", "'q'", '"r"', "=x", "#", "Ü文😀", "-lead", "L" * 200]


@pytest.fixture
def experiment(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    random = np.random.default_rng(0)
    x = random.normal(size=(80, len(COLUMNS))).round(3)
    rows = np.column_stack([x, x[:, 0] - x[:, 1]]).tolist()
    conf = checkout / "conf"
    (conf / "dataset" / "made.yaml").write_text(
        "defaults: [inline_schema]\ntask: regression\n"
        f"columns: {json.dumps([*COLUMNS, 'target/s'], ensure_ascii=False)}\nrows: {json.dumps(rows)}\n"
    )
    (conf / "experiment" / "team").mkdir()
    (conf / "experiment" / "team" / "small.yaml").write_text(
        "# @package _global_\n# Is km/h enough?\ndefaults:\n  - override /dataset: made\n  - override /model: linear\n"
        "trainer: {epochs: 30, optimizer: {learning_rate: 0.1}}\n"
    )
    (checkout / "params.yaml").write_text(
        "seed: 1\nsplit: {seed: 1, test: 0.3, validation: 0.2}\ndatasets: [made]\n"
        f"experiments: {{{NAME}: made}}\npromotion: {{minima: {{{NAME}: {{r2: 0.1}}}}}}\n"
    )
    return NAME


@pytest.mark.slow
def test_stages_registry_and_raw_input(experiment: str, checkout: Path, pipeline: Run) -> None:
    layout = Layout(checkout)
    for command in (
        ("configure",),
        ("prepare", "dataset=made"),
        ("train", f"experiment={experiment}", f"output=build/train/{experiment}"),
        ("evaluate", f"experiment={experiment}"),
        ("configure",),
        ("register",),
    ):
        done = pipeline(*command)
        assert done.returncode == 0, done.stdout + done.stderr
    assert f"{experiment}  r2" in done.stdout
    assert " champion " in done.stdout
    test = layout.prepared("made") / "test.parquet"
    done = pipeline("predict", f"model={experiment}", f"input={test}", f"output={checkout}/out.parquet")
    assert done.returncode == 0, done.stderr
    stored = pq.read_table(layout.trained(experiment) / "predictions.parquet")
    assert pq.read_table(checkout / "out.parquet").equals(stored)

    import mlflow

    store = Store(layout)
    mlflow.set_tracking_uri(store.uri)
    rows = {name: pq.read_table(test)[name].to_numpy() for name in COLUMNS}
    answers = mlflow.pyfunc.load_model(f"models:/{MODEL}@champion").predict(rows)
    assert answers["prediction"].tolist() == stored["prediction"].to_pylist()
    found = store.experiment(experiment)
    assert found.tags["mlflow.note.content"] == "Is km/h enough?"
    (run,) = store.client.search_runs([found.experiment_id])
    assert run.data.tags["pipeline.identity"].startswith(f"{MODEL}-")
    # somebody's own words stay
    store.client.set_experiment_tag(found.experiment_id, "mlflow.note.content", "Mine")
    assert pipeline("register").returncode == 0
    assert store.experiment(experiment).tags["mlflow.note.content"] == "Mine"


@pytest.mark.slow
def test_a_sweep_reaches_mlflow_whatever_marks_its_keys(experiment: str, checkout: Path, pipeline: Run) -> None:
    done = pipeline("train", "--multi", f"experiment={experiment}", "++trainer.epochs=2,3", "++trainer.batch_size=16")
    assert done.returncode == 0, done.stderr
    store = Store(Layout(checkout))
    runs = store.client.search_runs([store.experiment(experiment).experiment_id])
    (parent,) = [run for run in runs if run.data.tags["pipeline.identity"].startswith("sweep-")]
    assert {name: set(value.split()) for name, value in parent.data.params.items()} == {"trainer.epochs": {"2", "3"}}
    assert len(runs) == 3
    assert len(list(checkout.glob(f"runs/{MODEL}-*/output/model.keras"))) == 2


@pytest.mark.parametrize("name", ["a b", "it's", "x;y", "L" * 201, "é😀"])
def test_a_name_that_no_shell_takes_is_refused(name: str, experiment: str, checkout: Path, pipeline: Run) -> None:
    params = (checkout / "params.yaml").read_text()
    (checkout / "params.yaml").write_text(
        params.replace(f"{{{NAME}: made}}", json.dumps({name: "made"}, ensure_ascii=False))
    )
    done = pipeline("configure")
    assert done.returncode == 2
    assert f"params.yaml: name: found {name!r}, expected letters, digits and _ . -" in done.stderr
