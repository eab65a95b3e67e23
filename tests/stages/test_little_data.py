"""k-fold and learning curves: each training a run by hand, a score over all rows, and nothing trained twice."""

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID
from sklearn.metrics import r2_score

from tests.conftest import Run
from tests.stages.test_register import ok
from tests.stages.test_sweep import runs_of

BASE = ("experiment=linear_diabetes", "trainer.epochs=3")


@pytest.mark.slow
def test_each_row_is_scored_once_and_a_fold_is_trained_once(
    checkout: Path, pipeline: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    # a fold alone, then all of them
    ok(pipeline("train", *BASE, "split.folds=3", "split.fold=1"))
    said = ok(pipeline("cross_validate", *BASE, "folds=3"))
    assert said.count("linear_diabetes: trained before, in ") == 1
    (sweep,) = (checkout / "runs" / "sweeps").glob("2*")
    report, answers = json.loads((sweep / "report.json").read_text()), pq.read_table(sweep / "predictions.parquet")
    assert report["rows"] == 442 == len(set(answers["row"].to_pylist())) == sum(f["rows"] for f in report["folds"])
    target = {}
    for path in checkout.glob("runs/data/diabetes-*/test.parquet"):
        target |= dict(zip(*pq.read_table(path, columns=["row", "target"]).to_pydict().values(), strict=True))
    truth = [target[row] for row in answers["row"].to_pylist()]
    assert report["all"]["r2"]["value"] == pytest.approx(r2_score(truth, answers["prediction"]), rel=1e-5)
    assert report["all"]["r2"]["low"] < report["all"]["r2"]["value"] < report["all"]["r2"]["high"]
    assert "LinearRegression" in said.splitlines()[-2]
    runs = runs_of(checkout, "linear_diabetes")
    (parent,) = [run for name, run in runs.items() if name.startswith("sweep-")]
    assert parent.data.metrics["all_rows_r2"] == report["all"]["r2"]["value"]
    assert sum(MLFLOW_PARENT_RUN_ID in run.data.tags for run in runs.values()) == 3
    again = ok(pipeline("cross_validate", *BASE, "folds=3"))
    assert again.count("trained before") == 3
    assert again.splitlines()[-2] == said.splitlines()[-2]


@pytest.mark.slow
def test_a_learning_curve_ends_with_the_run_without_a_limit(checkout: Path, pipeline: Run) -> None:
    ok(pipeline("train", *BASE))
    said = ok(pipeline("learning_curve", *BASE, "steps=3", "seeds=2"))
    assert said.count("trained before") == 1, "all rows with the seed of params.yaml"
    (sweep,) = (checkout / "runs" / "sweeps").glob("2*")
    curve = json.loads((sweep / "learning_curve.json").read_text())
    rows = [point["rows"] for point in curve["points"]]
    assert rows == [int(np.ceil(rows[-1] * part)) for part in (0.25, 0.5, 1)]
    assert all(len(set(point["runs"])) == 2 for point in curve["points"])
    assert len(set(curve["points"][0]["scores"])) == 2
    assert (sweep / "learning_curve.svg").read_text().count("</svg>") == 1
    assert "linear_diabetes: twice the rows changed the mean r2 of " in said


@pytest.mark.parametrize(
    ("command", "arguments", "line"),
    [
        ("cross_validate", ["experiment=linear_diabetes", "folds=1"], "folds: found '1', expected a whole number, 2 or "
         "more."),
        ("cross_validate", ["experiment=linear_diabetes", "folds=²"], "folds: found '²', expected a whole number, 2 or "
         "more."),
        ("cross_validate", ["folds=3"], "experiment missing. Usage: experiment=... [folds=...] [key=value]"),
        ("cross_validate", ["experiment=linear_line"], "split.folds: found 5, expected nothing with "
         "dataset.split=none."),
        ("cross_validate", ["experiment=linear_diabetes", "folds=2", "dataset.group=sex"], "dataset diabetes: split "
         "train has 0 rows, expected at least 1. Add rows, take another number of folds, or try another split.seed."),
        ("learning_curve", ["experiment=linear_diabetes", "output=x"], "output: found 'x', expected none, since each "
         "training has a folder of its own."),
        ("learning_curve", ["experiment=linear_diabetes", "trainer.limit.rows=50"], "trainer.limit: found a limit, "
         "expected none, since each training has one of its own."),
    ],
)  # fmt: skip
def test_what_makes_no_folds_and_no_curve(
    command: str, arguments: list[str], line: str, checkout: Path, pipeline: Run
) -> None:
    done = pipeline(command, *arguments)
    assert (done.returncode, done.stderr.splitlines()[-1]) == (2, f"error: {line}")
    assert not list((checkout / "runs").glob("sweeps/*"))
