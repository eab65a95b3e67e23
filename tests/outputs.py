"""The files that prepare, train and evaluate leave, without running them."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.data.schema import Schema
from pipeline.files import write_json
from pipeline.layout import Layout
from tests.made import number

EXPERIMENT, DATASET, ROWS = "linear_diabetes", "diabetes", 40


def write_outputs(root: Path, identity: str, gain: float = 0.0, column: str = "x", test: str = "t") -> None:
    """Forty rows of one column, a model that none can load, and scores better by `gain`."""
    layout = Layout(root)
    prepared, trained, evaluated = layout.prepared(DATASET), layout.trained(EXPERIMENT), layout.evaluated(EXPERIMENT)
    for folder in (prepared, trained, evaluated):
        folder.mkdir(parents=True, exist_ok=True)
    Schema(DATASET, "regression", "hash", [number(column)], "target", []).write(prepared)
    values = np.arange(ROWS, dtype=np.float64)
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
    report = {"dataset": DATASET, "task": "regression", "split": "hash", "primary": "r2"}
    write_json(evaluated / "report.json", {**report, "test": {"r2": scored}, "references": [{"r2": 0.4}]})
    layout.resolved_experiment(EXPERIMENT).parent.mkdir(parents=True, exist_ok=True)
    layout.resolved_experiment(EXPERIMENT).write_text(f"name: {EXPERIMENT}\nseed: 1\n")
