"""What tracking costs: a training as it is by hand beside one without, and a metric on its way into MLflow.

python benchmarks/tracking.py

Training: with the metrics alone (journal, the process that brings it to MLflow on SQLite), and with TensorBoard too;
each in a process of its own, the kinds by turns, there and back.
Delivery: a metric from a journal into MLflow on SQLite, beside MLflow's own call for each epoch.
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

sys.path.insert(0, str(Path(__file__).resolve().parent))

RESULTS = Path(__file__).resolve().parent / "results" / "tracking.json"
KINDS = ("nothing", "metrics", "everything")
ROUNDS = 8


def costs(rounds: int) -> dict[str, Any]:
    """Seconds of a training's epochs by what is tracked, how many times those of nothing, and the processor's seconds
    of the process that brings it to MLflow; medians of turns."""
    seconds: dict[str, list[float]] = {kind: [] for kind in KINDS}
    follower = []
    command = [sys.executable, __file__, "--train"]
    for turn in range(rounds):
        for kind in KINDS if turn % 2 == 0 else KINDS[::-1]:
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

    from pipeline.tensorflow_process import load_tensorflow

    case = CASES["cnn 8x8, filters 32 64 128"]
    config = config_of(case)
    load_tensorflow(config.trainer.tensorflow)
    from pipeline.data.sampling import TrainingData
    from pipeline.layout import JOURNAL, Layout
    from pipeline.tracking.follower import followed
    from pipeline.tracking.journal import FINISHED, Journal
    from pipeline.tracking.runs import find_run
    from pipeline.tracking.store import Store
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
        module.Board = lambda *_: None
    with tempfile.TemporaryDirectory() as root:
        layout = Layout(Path(root))
        journal = Clock(layout.run(name) / JOURNAL)
        journal.start(name, "made", {}, {})
        with nullcontext() if kind == "nothing" else followed(layout, name, "", 60.0):
            splits = [split_of(case, schema, number) for number in (0, 1)]
            module.fit(config, TrainingData(schema, *splits), layout.run(name), journal)
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


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--train", choices=KINDS, help="train once, tracked so, and print the seconds")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    arguments = parser.parse_args()
    if arguments.train:
        train_tracked(arguments.train)
        return
    found = {"training": costs(arguments.rounds), "ms_per_metric": delivery()}
    print(json.dumps(found, indent=2))
    RESULTS.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
