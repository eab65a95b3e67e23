"""Every experiment in conf/ composes; the one that is no part of the reproduction finds what a textbook would. Datasets
that are fetched are what their files say, where a mirror has the files.

Those of params.yaml are trained whole by test_documents.py.
"""

import itertools
import json
import os
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from omegaconf import OmegaConf

from pipeline.compose import as_plain, compose_config, config_of
from pipeline.hydra_compose import compose_anew, compose_node, content_of
from pipeline.layout import Layout
from tests.clones import ROOT
from tests.conftest import Run

MIRROR = Path(os.environ.get("PIPELINE_DATA_MIRROR", "no mirror"))
mirrored = pytest.mark.skipif(not MIRROR.is_dir(), reason="PIPELINE_DATA_MIRROR names no folder of public data sets")
EXPERIMENTS = sorted(path.stem for path in (ROOT / "conf" / "experiment").glob("*.yaml"))
# one list for each experiment, by turns
OVERRIDES = (
    ["seed=3", "trainer.optimizer.learning_rate=0.003", "trainer.limit={rows: 100, seed: 7}"],
    ["debug=quick", "model.l2=1e-3", "split.validation=0.2", "trainer.limit.rows=${trainer.batch_size}"],
    ["~debug", "+trainer.callbacks={reduce_on_plateau: {}}", "trainer.epochs=2", "++evaluation.resamples=500"],
    ["sweep=linear", "sweep.trials=3", "cache.features_bytes=0", "objective=val_loss", "split={test: 0.3}"],
)


@pytest.mark.parametrize(("experiment", "overrides"), zip(EXPERIMENTS, itertools.cycle(OVERRIDES), strict=False))
def test_experiment(experiment: str, overrides: list[str]) -> None:
    text = (ROOT / "conf" / "experiment" / f"{experiment}.yaml").read_text()
    assert "override /dataset: " in text
    layout, given = Layout(ROOT), [f"experiment={experiment}", *overrides]
    assert compose_config(layout, "config", given[:1]).name == experiment
    # What is composed from what is remembered is what the files say.
    node, choices = compose_node(layout, "config", given, content_of(layout))
    anew, same = compose_anew(layout, "config", given)
    assert (OmegaConf.to_yaml(node), choices) == (OmegaConf.to_yaml(anew), same)
    assert as_plain(config_of(node, choices)) == as_plain(config_of(anew, same))


@pytest.mark.slow
def test_linear_line_finds_y_equals_2x(checkout: Path, pipeline: Run) -> None:
    assert pipeline("prepare", "dataset=line").returncode == 0
    trained = pipeline("train", "experiment=linear_line", "output=build/train/linear_line")
    assert trained.returncode == 0, trained.stderr
    from pipeline.serving.archive import load_served

    folder = checkout / "build" / "train" / "linear_line"
    served = load_served(folder / "model.keras")
    (kernel, bias) = served.get_layer("core").get_layer("head").get_weights()
    assert abs(kernel.item() - 2) < 0.1
    assert abs(bias.item()) < 0.1
    history = (folder / "history.csv").read_text().splitlines()
    assert len(history) == 1 + 1000, "1,000 steps: one batch of all rows each epoch"
    rows = pq.read_table(folder / "predictions.parquet")["row"]
    assert rows == pq.read_table(checkout / "data" / "prepared" / "line" / "test.parquet")["row"]
    identity = json.loads((folder / "identity.json").read_text())["identity"]
    assert (checkout / "runs" / identity / "journal.jsonl").is_file()


@mirrored
@pytest.mark.parametrize(("dataset", "rows"), [("penguins", 344), ("california_housing", 20_640), ("sms_spam", 5574)])
def test_a_dataset_that_is_fetched(dataset: str, rows: int, checkout: Path, pipeline: Run) -> None:
    done = pipeline("prepare", f"dataset={dataset}")
    assert done.returncode == 0, done.stderr
    summary = json.loads((checkout / "data" / "prepared" / dataset / "summary.json").read_text())
    assert sum(split["rows"] for split in summary.values()) == rows


@mirrored
def test_penguins_are_told_apart(checkout: Path, pipeline: Run) -> None:
    done = pipeline("train", "experiment=logistic_penguins", "output=out")
    assert done.returncode == 0, done.stderr
    answers = pq.read_table(checkout / "out" / "predictions.parquet", columns=["row", "prediction"]).to_pydict()
    (test,) = (checkout / "runs" / "data").glob("penguins-*/test.parquet")
    rows = pq.read_table(test, columns=["row", "target"]).to_pydict()
    assert answers["row"] == rows["row"]
    right = sum(a == b for a, b in zip(answers["prediction"], rows["target"], strict=True))
    assert right >= len(rows["row"]) - 2


@mirrored
@pytest.mark.slow
@pytest.mark.parametrize(
    ("experiment", "settings"),
    [
        ("cnn_fashion_mnist", ["trainer.limit.rows=500"]),
        ("cnn_sms_spam", ["trainer.limit.rows=500"]),
        ("cnn_fsdd", ["trainer.limit.rows=400", "model.filters=[16,32]", "model.readout=flatten", "model.dropout=0"]),
        ("cnn_splice_junctions", ["trainer.limit.rows=500", "model.dropout=0.3", "trainer.batch_size=16"]),
    ],
)
def test_a_small_part_of_real_data_is_learned_from(
    experiment: str, settings: list[str], checkout: Path, pipeline: Run
) -> None:
    done = pipeline("train", f"experiment={experiment}", "output=out", "trainer.epochs=3", *settings)
    assert done.returncode == 0, done.stderr
    history = (checkout / "out" / "history.csv").read_text().splitlines()
    losses = [float(line.split(",")[history[0].split(",").index("loss")]) for line in history[1:]]
    assert losses[-1] < 0.8 * losses[0]
