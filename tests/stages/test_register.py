"""register on real outputs of the stages before it, with one short experiment."""

import subprocess
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pipeline.layout import Layout
from pipeline.tracking.store import Store
from tests.conftest import Run

EXPERIMENT = "linear_diabetes"


@pytest.fixture
def stage(checkout: Path, pipeline: Run, monkeypatch: pytest.MonkeyPatch):
    """`stage(override, ...)` prepares, trains, evaluates and registers; returns the table's one row."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    (checkout / "params.yaml").write_text(
        "seed: 1\nsplit: {seed: 1, test: 0.2, validation: 0.1}\ndatasets: [diabetes]\n"
        "experiments: {linear_diabetes: diabetes}\npromotion: {minima: {linear_diabetes: {r2: -1.0}}}\n"
    )

    ok(pipeline("configure"))

    def run(*overrides: str) -> str:
        split = [override for override in overrides if override.startswith("split.")]
        ok(pipeline("prepare", "dataset=diabetes", *split))
        ok(pipeline("train", f"experiment={EXPERIMENT}", f"output=build/train/{EXPERIMENT}", *overrides))
        ok(pipeline("evaluate", f"experiment={EXPERIMENT}"))
        return register(pipeline)

    return run


def ok(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def register(pipeline: Run) -> str:
    return next(line for line in ok(pipeline("register")).splitlines() if line.startswith(EXPERIMENT))


def state(root: Path) -> dict[str, object]:
    """Everything that a second register could have changed."""
    client = Store(Layout(root)).client
    versions = {
        version.version: (version.run_id, version.tags, version.last_updated_timestamp)
        for version in client.search_model_versions(f"name = '{EXPERIMENT}'")
    }
    place = client.get_experiment_by_name(EXPERIMENT).experiment_id
    runs = {run.info.run_id: (run.data.tags, run.data.metrics) for run in client.search_runs([place])}
    models = {model.model_id for model in client.search_logged_models([place])}
    return {
        "versions": versions,
        "runs": runs,
        "models": models,
        "aliases": client.get_registered_model(EXPERIMENT).aliases,
    }


@pytest.mark.slow
def test_promotion_rejection_and_refill(checkout: Path, stage, pipeline: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "champion" in stage("trainer.epochs=1", "trainer.optimizer.learning_rate=0.01")
    first = state(checkout)
    assert register(pipeline)
    assert state(checkout) == first, "registering again changed something"

    row = stage("trainer.epochs=40")
    assert "better than champion version 1" in row
    assert state(checkout)["aliases"] == {"champion": 2}

    row = stage("trainer.epochs=40", "seed=5")
    assert "challenger" in row
    assert "not shown to be better than champion version 2" in row
    assert state(checkout)["aliases"] == {"champion": 2, "challenger": 3}

    # this process keeps the deleted file open, so that what a new one holds is read off the table
    (checkout / "mlflow.db").unlink()
    row = register(pipeline)
    assert "champion  1  " in row, row
    assert "first version that meets the minima" in row

    # a clone whose outputs came by `dvc pull` has no runs/; its store is another one
    (checkout / "runs").rename(checkout / "elsewhere")
    uri = f"sqlite:///{checkout}/other.db"
    ok(pipeline("register", MLFLOW_TRACKING_URI=uri))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    ((run_id, (tags, metrics)),) = state(checkout)["runs"].items()
    assert tags["pipeline.rebuilt"] == "true"
    assert "test_r2" in metrics
    assert len(Store(Layout(checkout)).client.get_metric_history(run_id, "loss")) == 40


@pytest.mark.slow
def test_champion_on_another_test_split(checkout: Path, stage, edit) -> None:
    stage("trainer.epochs=1", "trainer.optimizer.learning_rate=0.01")
    row = stage("trainer.epochs=40", "split.seed=2")
    assert "champion version 1 has trained on" in row
    assert "rows of this test split and cannot be compared on it" in row
    # a smaller test split of the same seed: its rows are test rows of the old one too
    row = stage("trainer.epochs=40", "split.test=0.15")
    assert "better than champion version 1" in row, row


@pytest.mark.slow
def test_the_registered_model_takes_raw_rows(checkout: Path, stage) -> None:
    stage("trainer.epochs=2")
    import mlflow

    mlflow.set_tracking_uri(Layout(checkout).tracking_uri)
    model = mlflow.pyfunc.load_model(f"models:/{EXPERIMENT}@champion")
    rows = pq.read_table(checkout / "data/prepared/diabetes/test.parquet").to_pandas()
    answers = model.predict(rows)
    stored = pq.read_table(checkout / f"build/train/{EXPERIMENT}/predictions.parquet")["prediction"].to_numpy()
    assert answers["prediction"].tolist() == stored.tolist()
    folder = mlflow.artifacts.download_artifacts(f"models:/{EXPERIMENT}@champion")
    example = mlflow.models.Model.load(folder).load_input_example(folder)
    assert model.predict(example)["prediction"].tolist() == stored[: len(example["bmi"])].tolist()


@pytest.mark.slow
def test_minima_keep_a_poor_model_out(checkout: Path, stage, edit) -> None:
    edit("params.yaml", "r2: -1.0", "r2: 0.1")
    row = stage("trainer.epochs=1", "trainer.optimizer.learning_rate=0.0001")
    assert "challenger" in row
    assert "is below the minimum 0.1" in row
    assert "champion" not in state(checkout)["aliases"]


def test_register_does_without_tensorflow(checkout: Path, run: Run) -> None:
    import sys

    code = (
        "import sys, pipeline.register as r\ntry: r.register()\nexcept Exception as e: print(e)\n"
        "print('tensorflow' in sys.modules)"
    )
    done = run(sys.executable, "-c", code)
    assert done.stdout.splitlines()[-1] == "False", done.stdout + done.stderr
    assert "Run: dvc repro train@linear_diabetes" in done.stdout
