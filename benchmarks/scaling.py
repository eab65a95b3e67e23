"""What must stay flat: memory as data grows, the cost of tracking, and `dvc repro` with nothing to do.

python benchmarks/scaling.py

Memory: peak resident memory of a training that streams, with 1, 10 and 30 times the rows, and of one that does not.
Tracking: a training as it is by hand beside one without, by turns: the metrics alone (journal, the process that brings
it to MLflow on SQLite), and TensorBoard too.
Delivery: what a metric costs on its way from a journal into MLflow on SQLite, beside MLflow's own call for each epoch.
DVC: `dvc repro` with nothing to do over 10, 100 and 500 stages.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results" / "scaling.json"
ROWS = 8192
SIZES = (1, 10, 30)
STAGES = (10, 100, 500)
ROUNDS = 5


def write_rows(folder: Path, size: int) -> None:
    """A dataset of size * ROWS images of 28 x 28, chunk by chunk, as prepare writes it."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from pipeline.data.prepared import chunk_rows

    random = np.random.default_rng(0)
    for name, chunks in (("train", size), ("validation", 1)):
        with pq.ParquetWriter(folder / f"{name}.parquet", _schema()) as writer:
            for _ in range(chunks):
                pixels = pa.array(random.integers(0, 255, ROWS * 784).astype(np.float32))
                target = pa.array(random.integers(0, 10, ROWS).astype(np.int32))
                columns = [pa.array(["row"] * ROWS), pa.FixedSizeListArray.from_arrays(pixels, 784), target]
                writer.write_table(pa.table(columns, schema=_schema()), row_group_size=chunk_rows([(784,)]))


def _schema() -> Any:
    import pyarrow as pa

    return pa.schema([("row", pa.string()), ("image", pa.list_(pa.float32(), 784)), ("target", pa.int32())])


def train_once(folder: Path, resident_bytes: int) -> None:
    """One epoch of logistic regression on the dataset in `folder`; prints the peak memory in MiB."""
    from pipeline.config import MODELS, Config, DatasetConfig, OptimizerConfig, SplitConfig, TrainerConfig
    from pipeline.data.prepared import open_split
    from pipeline.data.schema import IMAGE, Feature, Schema
    from pipeline.training.runtime import load_tensorflow

    trainer = TrainerConfig("compiled", 1, 256, OptimizerConfig(), resident_bytes=resident_bytes)
    load_tensorflow(trainer)
    from pipeline.tracking.journal import Journal
    from pipeline.training.fit import fit

    features = [Feature("image", IMAGE, "float32", [28, 28, 1])]
    schema = Schema("made", "multiclass", "image", "hash", [str(k) for k in range(10)], features, "target")
    splits = [open_split(folder, name, schema, resident_bytes) for name in ("train", "validation")]
    config = Config("made", 1, SplitConfig(1, 0.2, 0.1), DatasetConfig("made"), MODELS["logistic"](), trainer=trainer)
    with tempfile.TemporaryDirectory() as run:
        fit(config, schema, *splits, Journal(Path(run) / "journal.jsonl"), Path(run), {})
    print(json.dumps({"peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))


def memory() -> dict[str, dict[str, float]]:
    """Peak memory in MiB by size of the data, streamed and resident."""
    peaks: dict[str, dict[str, float]] = {"streamed": {}, "resident": {}}
    for size in SIZES:
        with tempfile.TemporaryDirectory() as name:
            write_rows(Path(name), size)
            for kind, most in (("streamed", 1), ("resident", 2**40)):
                command = [sys.executable, __file__, "--train", name, "--resident-bytes", str(most)]
                done = subprocess.run(command, capture_output=True, text=True, check=True)
                peaks[kind][str(size)] = json.loads(done.stdout.strip().splitlines()[-1])["peak"]
    return peaks


def tracking() -> dict[str, Any]:
    """Seconds of a training's epochs by what is tracked, how many times those of nothing, and the processor's seconds
    of the process that brings it to MLflow; medians of turns."""
    kinds = ("nothing", "metrics", "everything")
    seconds: dict[str, list[float]] = {kind: [] for kind in kinds}
    follower = []
    command = [sys.executable, __file__, "--tracked"]
    for _ in range(ROUNDS):
        for kind in kinds:
            done = subprocess.run([*command, kind], capture_output=True, text=True, check=True)
            found = json.loads(done.stdout.strip().splitlines()[-1])
            seconds[kind].append(found["seconds"])
            if kind == "everything":
                follower.append(found["follower"])
    ratios = {
        kind: statistics.median(ours / none for ours, none in zip(values, seconds["nothing"], strict=True))
        for kind, values in seconds.items()
    }
    medians = {kind: statistics.median(values) for kind, values in seconds.items()}
    return {"seconds": medians, "ratio": ratios, "follower": statistics.median(follower)}


def train_tracked(kind: str) -> None:
    """cnn 8x8 for 110 epochs; prints the seconds from the end of the first on."""
    from rivals.cases import CASES
    from rivals.compiled import config_of, schema_of, split_of

    from pipeline.training.runtime import load_tensorflow

    case = CASES["cnn 8x8, filters 32 64 128"]
    config = config_of(case)
    load_tensorflow(config.trainer)
    from pipeline.layout import JOURNAL, Layout
    from pipeline.tracking.follower import followed
    from pipeline.tracking.journal import FINISHED, Journal
    from pipeline.tracking.store import Store
    from pipeline.tracking.sync import find_run
    from pipeline.training import fit as module

    os.environ.pop("MLFLOW_TRACKING_URI", None)
    schema, name = schema_of(case), "made-1"
    marks: list[float] = []

    class Clock(Journal):
        def metrics(self, epoch: int, values: dict[str, float]) -> None:
            if kind != "nothing":
                super().metrics(epoch, values)
            marks.append(time.perf_counter())

    if kind != "everything":
        module.TensorBoardWriter = lambda *_: None
    with tempfile.TemporaryDirectory() as root:
        layout = Layout(Path(root))
        journal = Clock(layout.run(name) / JOURNAL)
        journal.start(name, "made", {}, {})
        with nullcontext() if kind == "nothing" else followed(layout, name, "", 60.0):
            splits = [split_of(case, schema, number) for number in (0, 1)]
            module.fit(config, schema, *splits, journal, layout.run(name), {})
            journal.end(FINISHED)
        delivered = find_run(Store(layout), "made", name) if kind != "nothing" else None
        if kind != "nothing" and (delivered is None or delivered.info.status != FINISHED):
            raise SystemExit("the process beside the training has not delivered everything")
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(json.dumps({"seconds": marks[-1] - marks[0], "follower": spent.ru_utime + spent.ru_stime}))


def delivery() -> dict[str, float]:
    """Milliseconds for each metric, of 5 an epoch, into a fresh MLflow store on SQLite."""
    os.environ.pop("MLFLOW_TRACKING_URI", None)
    from mlflow.entities import Metric

    from pipeline.layout import JOURNAL, Layout
    from pipeline.tracking.journal import FINISHED, Journal
    from pipeline.tracking.store import Store
    from pipeline.tracking.sync import RunSync

    names = ("loss", "accuracy", "val_loss", "val_accuracy", "learning_rate")
    found = {}
    with tempfile.TemporaryDirectory() as root:
        layout = Layout(Path(root))
        store = Store(layout)
        place = store.experiment("made").experiment_id
        journal = Journal(layout.run("made-1") / JOURNAL)
        journal.start("made-1", "made", {}, {})
        for epoch in range(1, 2001):
            journal.metrics(epoch, dict.fromkeys(names, 1.0 / epoch))
        journal.end(FINISHED)
        start = time.perf_counter()
        RunSync(store, layout.run("made-1")).deliver()
        found["journal"] = 1000 * (time.perf_counter() - start) / (2000 * len(names))
        run_id = store.client.create_run(place).info.run_id
        start = time.perf_counter()
        for epoch in range(1, 201):
            store.client.log_batch(run_id, [Metric(name, 1.0 / epoch, epoch, epoch) for name in names])
        found["a call for each epoch"] = 1000 * (time.perf_counter() - start) / (200 * len(names))
    return found


def no_op() -> dict[str, float]:
    """Seconds of `dvc repro` with nothing to do, by the number of stages."""
    found = {}
    for count in STAGES:
        with tempfile.TemporaryDirectory() as name:
            root = Path(name)
            (root / "dvc.yaml").write_text(
                "stages:\n  copy:\n    foreach: ${names}\n    do:\n      cmd: cp in.txt out/${item}.txt\n"
                "      deps:\n        - in.txt\n      outs:\n        - out/${item}.txt\n"
            )
            (root / "params.yaml").write_text(json.dumps({"names": [f"s{i}" for i in range(count)]}))
            (root / "in.txt").write_text("x\n")
            (root / "out").mkdir()
            for command in (["git", "init", "-q"], ["dvc", "init", "-q"], ["dvc", "repro", "-q"]):
                subprocess.run(command, cwd=root, check=True, capture_output=True)
            times = []
            for _ in range(3):
                start = time.perf_counter()
                subprocess.run(["dvc", "repro"], cwd=root, check=True, capture_output=True)
                times.append(time.perf_counter() - start)
            found[str(count)] = statistics.median(times)
    return found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--train")
    parser.add_argument("--resident-bytes", type=int)
    parser.add_argument("--tracked")
    arguments = parser.parse_args()
    if arguments.train:
        train_once(Path(arguments.train), arguments.resident_bytes)
        return
    if arguments.tracked:
        train_tracked(arguments.tracked)
        return
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    results = {
        "peak_memory_mib": memory(),
        "tracking": tracking(),
        "delivery_ms_per_metric": delivery(),
        "no_op_seconds": no_op(),
    }
    print(json.dumps(results, indent=2))
    RESULTS.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
