"""Hydra's multirun: each job its own run below the sweep's, the same bits as alone, a sorted table."""

import json
import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from mlflow.entities import Run
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID
from sklearn.metrics import r2_score

from pipeline.layout import Layout
from pipeline.tracking.store import Store
from tests.conftest import Run as Command

COMMON = ["trainer.epochs=3", "experiment=cnn_digits"]
GRID = "model.filters=[4],[8]"
FILES = ("model.keras", "predictions.parquet", "history.csv", "identity.json")


@pytest.fixture(autouse=True)
def _own_store(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


def runs_of(checkout: Path, experiment: str) -> dict[str, Run]:
    store = Store(Layout(checkout))
    found = store.client.search_runs([store.experiment(experiment).experiment_id])
    return {run.data.tags["pipeline.identity"]: run for run in found}


def jobs_of(checkout: Path) -> list[dict]:
    return [json.loads(path.read_text()) for path in sorted(checkout.glob("runs/sweeps/*/*/job.json"))]


def outputs(checkout: Path) -> dict[str, bytes]:
    """By run and file, what the trainings wrote."""
    return {f"{path.parent.parent.name}/{path.name}": path.read_bytes() for path in checkout.glob("runs/*/output/*")}


def features_of(checkout: Path) -> dict[str, tuple[int, int]]:
    """By folder, which file says that its features are made, and since when: another one if they are made again."""
    found = {path.parent.name: path.stat() for path in (checkout / "build" / "features").glob("*/features.json")}
    return {name: (of.st_ino, of.st_mtime_ns) for name, of in found.items()}


@pytest.mark.slow
def test_a_grid_is_one_parent_run_and_the_bits_of_each_job_alone(
    checkout: Path, pipeline: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = pipeline("train", "-m", *COMMON, GRID)
    assert done.returncode == 0, done.stderr
    jobs = jobs_of(checkout)
    assert [job["overrides"] for job in jobs] == [[*COMMON, f"model.filters=[{n}]"] for n in (4, 8)]
    header, *rows, best, counts, _, _ = done.stdout.splitlines()[-7:]
    assert header.split() == ["job", "overrides", "val_loss", "run"]
    assert [row.split()[1] for row in rows] == ["model.filters=[8]", "model.filters=[4]"], "best first"
    assert [float(row.split()[2]) for row in rows] == sorted(round(job["score"], 6) for job in jobs)
    assert best == f"best: python -m pipeline.train {' '.join(COMMON)} 'model.filters=[8]'"
    assert counts == "2 jobs: 2 finished"
    runs = runs_of(checkout, "cnn_digits")
    (parent,) = [run for name, run in runs.items() if name.startswith("sweep-")]
    assert parent.info.status == "FINISHED"
    assert parent.data.params == {"model.filters": "[8] [4]"}
    best_score = min(job["score"] for job in jobs)
    assert parent.data.metrics == {"best_val_loss": best_score, "finished": 2, "pruned": 0, "failed": 0}
    assert parent.data.tags["pipeline.command"].startswith("python -m pipeline.train -m trainer.epochs=3")
    files = Store(Layout(checkout)).client.list_artifacts(parent.info.run_id)
    assert {file.path for file in files} >= {"page.html", "plots"}
    for job in jobs:
        assert runs[job["identity"]].data.tags[MLFLOW_PARENT_RUN_ID] == parent.info.run_id
        assert runs[job["identity"]].data.metrics["val_loss"] == job["score"]
        assert list((checkout / "runs" / job["identity"] / "tensorboard" / "train").iterdir())
    swept = outputs(checkout)
    assert len(swept) == 2 * len(FILES)
    # alone, in another process each, in the other order, nothing left of the sweep's trainings
    (checkout / "runs").rename(checkout / "swept")
    for filters in ("[8]", "[4]"):
        assert pipeline("train", *COMMON, f"model.filters={filters}").returncode == 0
    assert outputs(checkout) == swept
    # the store is lost: what is on disk fills a new one
    (checkout / "runs").rename(checkout / "alone")
    (checkout / "swept").rename(checkout / "runs")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{checkout / 'another.db'}")
    from pipeline.tracking.undelivered import sync_sweeps

    assert sync_sweeps(Store(Layout(checkout))) == (1, [])
    assert sync_sweeps(Store(Layout(checkout))) == (0, [])
    again = runs_of(checkout, "cnn_digits")
    assert again.keys() == runs.keys()
    assert sum(MLFLOW_PARENT_RUN_ID in run.data.tags for run in again.values()) == 2
    assert not list(checkout.glob("outputs")) + list(checkout.glob("multirun")), "litter"


@pytest.mark.slow
def test_joblib_gives_the_same_bits_and_a_failed_job_fails_alone(checkout: Path, pipeline: Command) -> None:
    options = ["experiment=linear_diabetes", "trainer.epochs=3", "trainer.threads=1"]
    done = pipeline(
        "train", "-m", "hydra/launcher=joblib", *options, "trainer.optimizer.learning_rate=0.01,-1,0.1,0.001"
    )
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("error: 1 of 4 jobs failed, first 1: trainer.optimizer.learning")
    last = done.stdout.splitlines()[-5]
    assert re.match(r"1 +trainer.optimizer.learning_rate=-1 +failed: trainer.optimizer.learning_rate: found -1", last)
    swept = outputs(checkout)
    assert len(swept) == 3 * len(FILES)
    features = features_of(checkout)
    assert len(features) == 2, "all jobs share those of the training rows, and those of the rows for validation"
    # a finished job is not trained again, also for another objective, which its saved model is asked for
    more = pipeline("train", "-m", *options, "objective=val_r2", "trainer.optimizer.learning_rate=0.01,0.1,0.02")
    assert more.returncode == 0, more.stderr
    assert more.stdout.count("linear_diabetes: trained before, in ") == 2
    assert features_of(checkout) == features, "the third job found them"
    header, *rows = more.stdout.splitlines()[-8:-4]
    assert header.split()[2] == "val_r2"
    assert [float(row.split()[2]) for row in rows] == sorted((float(row.split()[2]) for row in rows), reverse=True)
    (data,) = (checkout / "runs" / "data").glob("diabetes-*/validation.parquet")
    model = checkout / "runs" / rows[0].split()[3] / "output" / "model.keras"
    assert (
        pipeline("predict", f"model={model}", f"input={data}", f"output={checkout / 'found.parquet'}").returncode == 0
    )
    found, target = pq.read_table(checkout / "found.parquet")["prediction"], pq.read_table(data)["target"]
    assert float(rows[0].split()[2]) == pytest.approx(r2_score(target, found), abs=1e-6)
    runs = runs_of(checkout, "linear_diabetes")
    first, second = sorted(run.info.run_id for name, run in runs.items() if name.startswith("sweep-"))
    parents = [run.data.tags.get(MLFLOW_PARENT_RUN_ID) for run in runs.values()]
    assert sorted(parents.count(parent) for parent in (first, second)) == [1, 3]
    (checkout / "runs").rename(checkout / "swept")
    assert pipeline("train", *options, "trainer.optimizer.learning_rate=0.001").returncode == 0
    alone = outputs(checkout)
    assert alone == {name: swept[name] for name in alone}


@pytest.mark.slow
def test_jobs_that_one_process_cannot_all_serve_say_so(checkout: Path, pipeline: Command) -> None:
    done = pipeline("train", "-m", "experiment=linear_diabetes", "trainer.epochs=1", "trainer.threads=1,2")
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == (
        "error: 1 of 2 jobs failed, first 1: trainer.threads: found 2, but this process has computed with 1, and "
        "TensorFlow sets that once. Run the jobs with another trainer.threads by a command of their own."
    )


@pytest.mark.slow
def test_a_sweep_of_what_is_not_there_leaves_nothing(checkout: Path, pipeline: Command) -> None:
    done = pipeline("train", "-m", "experiment=cnn_digits", "model.filtres=[4],[8]")
    assert done.returncode == 2
    assert done.stderr.strip().splitlines()[-1].startswith("error: ")
    assert "Did you mean 'filters'?" in done.stderr
    assert not (checkout / "runs" / "sweeps").exists() or not list((checkout / "runs" / "sweeps").iterdir())
    done = pipeline("train", "-m", "experiment=linear_diabetes", "output=x", "seed=1,2", "trainer.epochs=1")
    assert done.returncode == 2
    assert "output: found 'x', expected none in a sweep" in done.stderr
