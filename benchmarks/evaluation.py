"""Peak memory and seconds of `evaluate` on a table of many test rows, with its references.

python benchmarks/evaluation.py [--rows 2000000] [--resamples 100]

The rows, and the predictions of a model that knows half of the truth, are made, and written as `prepare` and `train`
write them. Memory does not depend on the number of resamples, the seconds do.
"""

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

ROOT = Path(__file__).resolve().parents[1]
RESULTS = Path(__file__).resolve().parent / "results" / "evaluation.json"
TREE = ("conf", "src", "params.yaml", "dvc.yaml", "requirements.lock")
NUMBERS = [f"x{i}" for i in range(20)]
TRAIN_ROWS, BATCH_ROWS = 60_000, 8192
DATASET = f"""
defaults: [table_schema]
path: data/raw/made.csv
task: binary
target: y
columns: {{{", ".join(f"{name}: number" for name in NUMBERS)}, c: category}}
"""
EXPERIMENT = """# @package _global_
defaults:
  - override /dataset: made
  - override /model: logistic

trainer:
  epochs: 1
"""
HISTORY = "epoch,loss,accuracy,val_loss,val_accuracy,learning_rate\n1,0.5,0.7,0.5,0.7,0.001\n"


def make(root: Path, num_rows: int) -> None:
    """A checkout in which a model of so many test rows waits for its evaluation."""
    from pipeline.data.schema import Column, Schema
    from pipeline.data.types import TYPES

    for name in TREE:
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy2)(source, root / name)
    (root / "conf" / "dataset" / "made.yaml").write_text(DATASET)
    (root / "conf" / "experiment" / "made.yaml").write_text(EXPERIMENT)
    prepared, trained = root / "data" / "prepared" / "made", root / "build" / "train" / "made"
    for folder in (prepared, trained):
        folder.mkdir(parents=True)
    features = [Column(name, TYPES["number"].config("number")) for name in NUMBERS]
    features.append(Column("c", TYPES["category"].config("category"), categories=["a", "b", "c"]))
    Schema("made", "binary", "hash", features, "y", ["no", "yes"]).write(prepared)
    (trained / "history.csv").write_text(HISTORY)
    write(prepared / "train.parquet", None, TRAIN_ROWS, seed=1)
    write(prepared / "test.parquet", trained / "predictions.parquet", num_rows, seed=2)


def write(rows: Path, predictions: Path | None, num_rows: int, seed: int) -> None:
    """Write a split, and the predictions for it if they are asked for."""
    random = np.random.default_rng(seed)
    writers: dict[Path, pq.ParquetWriter] = {}
    for start in range(0, num_rows, BATCH_ROWS):
        size = min(BATCH_ROWS, num_rows - start)
        x = random.normal(size=(size, len(NUMBERS)))
        yes = x[:, 0] + random.normal(size=size) > 0
        ids = pa.array([f"{i:016x}" for i in range(start, start + size)])
        columns = {"row": ids, **{name: x[:, i] for i, name in enumerate(NUMBERS)}}
        columns |= {"c": np.array(["a", "b", "c"])[random.integers(0, 3, size)], "target": np.where(yes, "yes", "no")}
        tables = {rows: pa.table(columns)}
        if predictions:
            p = (1 / (1 + np.exp(-x[:, 0]))).astype(np.float32)
            answer = {"row": ids, "prediction": np.where(p > 0.5, "yes", "no")}
            tables[predictions] = pa.table(answer | {"probability_no": 1 - p, "probability_yes": p})
        for path, table in tables.items():
            if path not in writers:
                writers[path] = pq.ParquetWriter(path, table.schema)
            writers[path].write_table(table)
    for writer in writers.values():
        writer.close()


def evaluate(root: Path, resamples: int) -> dict[str, float]:
    """Evaluate in a process of its own."""
    command = [sys.executable, "-m", "pipeline.evaluate", "experiment=made", f"evaluation.resamples={resamples}"]
    environment = os.environ | {"PYTHONPATH": str(root / "src")}
    start = time.perf_counter()
    subprocess.run(command, cwd=root, env=environment, check=True)
    return {
        "seconds": time.perf_counter() - start,
        "mib": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024,
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--resamples", type=int, default=100)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        make(Path(name), given.rows)
        found = {"rows": given.rows, "resamples": given.resamples, **evaluate(Path(name), given.resamples)}
    print(json.dumps(found, indent=2))
    RESULTS.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
