"""One checklist for every experiment in conf/: it composes, trains an epoch and answers the raw test rows."""

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pipeline.compose import compose_config
from pipeline.layout import Layout
from tests.conftest import ROOT, Run

EXPERIMENTS = sorted(path.stem for path in (ROOT / "conf" / "experiment").glob("*.yaml"))


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_experiment(experiment: str, checkout: Path, pipeline: Run) -> None:
    dataset = compose_config(Layout(checkout), "config", [f"experiment={experiment}"]).dataset.name
    prepared = pipeline("prepare", f"dataset={dataset}")
    assert prepared.returncode == 0, prepared.stderr
    trained = pipeline("train", f"experiment={experiment}", "trainer.epochs=1", f"output=build/train/{experiment}")
    assert trained.returncode == 0, trained.stderr
    folder = checkout / "build" / "train" / experiment
    rows = pq.read_table(folder / "predictions.parquet")["row"]
    assert rows == pq.read_table(checkout / "data" / "prepared" / dataset / "test.parquet")["row"]
    identity = json.loads((folder / "identity.json").read_text())["identity"]
    assert (checkout / "runs" / identity / "journal.jsonl").is_file()
    assert len((folder / "history.csv").read_text().splitlines()) == 2


@pytest.mark.slow
def test_linear_line_finds_y_equals_2x(checkout: Path, pipeline: Run) -> None:
    assert pipeline("prepare", "dataset=line").returncode == 0
    trained = pipeline("train", "experiment=linear_line", "output=build/train/linear_line")
    assert trained.returncode == 0, trained.stderr
    from pipeline.serving.export import load_served

    served = load_served(checkout / "build" / "train" / "linear_line" / "model.keras")
    (kernel, bias) = served.get_layer("core").get_layer("head").get_weights()
    assert abs(kernel.item() - 2) < 0.1
    assert abs(bias.item()) < 0.1
    history = (checkout / "build" / "train" / "linear_line" / "history.csv").read_text().splitlines()
    assert len(history) == 1 + 1000, "1,000 steps: one batch of all rows each epoch"
