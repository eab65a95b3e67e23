"""Searches beside one process for each trial, with keras fit and MLflow's autolog: throughput, workers, pruning.

python benchmarks/sweeps.py [--only throughput workers pruning]

Everything runs in temporary clones, one after another, on the machine as it is; ratios are what to read. The plain
script (benchmarks/plain/logistic_digits.py) is timed for a few trials, since each takes as long as the others.
"""

import argparse
import itertools
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from repro import ROOT, timed

RESULTS = ROOT / "benchmarks" / "results" / "sweeps.json"
TRIALS, EPOCHS, PLAIN = 32, 20, 3
CNN_TRIALS = 32


def search(folder: Path, *arguments: str) -> tuple[float, list[dict]]:
    """Seconds of a search in a clone, its start and end included, and the records of its trials."""
    seconds = timed([sys.executable, "-m", "pipeline.train", "-m", *arguments], folder, PYTHONPATH=str(folder / "src"))
    (sweep,) = (folder / "runs" / "sweeps").iterdir()
    jobs = [json.loads(path.read_text()) for path in sorted(sweep.glob("*/job.json"))]
    for job in jobs:
        lines = (folder / "runs" / job["identity"] / "journal.jsonl").read_text().splitlines()
        job["training"] = (json.loads(lines[-1])["time"] - json.loads(lines[0])["time"]) / 1000
    return seconds, sorted(jobs, key=lambda job: job["started"])


def apart(jobs: list[dict]) -> tuple[float, float]:
    """Mean seconds from the start of a trial to that of the next one, and those of them in which it was not trained.
    The first trial imports TensorFlow, and the last one has no next."""
    pairs = list(itertools.pairwise(jobs[1:]))
    between = [after["started"] - job["started"] for job, after in pairs]
    beside = [after["started"] - job["started"] - job["training"] for job, after in pairs]
    return statistics.mean(between), statistics.mean(beside)


@contextmanager
def a_clone() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        clone = Path(name) / "clone"
        subprocess.run(["git", "clone", "-q", str(ROOT), str(clone)], check=True)
        yield clone


def in_clone(*arguments: str) -> tuple[float, list[dict]]:
    with a_clone() as clone:
        return search(clone, *arguments)


def with_test_score(*arguments: str) -> tuple[list[dict], str]:
    """The records of a search, and the test score of its best trial with its interval, as adopt tells them."""
    with a_clone() as clone:
        _, jobs = search(clone, *arguments)
        (sweep,) = (clone / "runs" / "sweeps").iterdir()
        command = [sys.executable, "-m", "pipeline.adopt", f"sweep={sweep.name}", "as=best"]
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        environment = os.environ | {"PATH": path, "PYTHONPATH": str(clone / "src")}
        told = subprocess.run(command, cwd=clone, env=environment, check=True, capture_output=True, text=True).stdout
        return jobs, next(line for line in told.splitlines() if line.startswith("test: ")).removeprefix("test: ")


def throughput() -> dict[str, float]:
    """Trials a minute of small trainings, against one process for each, and what a trial takes beyond its training."""
    common = ["experiment=logistic_digits", "sweep=logistic", f"trainer.epochs={EPOCHS}", f"sweep.trials={TRIALS}"]
    ours, jobs = in_clone(*common)
    with tempfile.TemporaryDirectory() as name:
        script = ROOT / "benchmarks" / "plain" / "logistic_digits.py"
        uri = f"sqlite:///{name}/mlflow.db"
        plain = [
            timed([sys.executable, str(script), str(EPOCHS)], Path(name), MLFLOW_TRACKING_URI=uri) for _ in range(PLAIN)
        ]
    theirs = sum(plain[1:]) / (PLAIN - 1)  # the first one makes the store
    trial, beside = apart(jobs)
    return {
        "search of 32 trials (s)": ours,
        "a trial of it, without the first (s)": trial,
        "of which beside its training (s)": beside,
        "a process with keras fit and autolog (s)": theirs,
        "throughput, ratio": theirs * TRIALS / ours,
    }


def workers() -> dict[str, float]:
    """Two workers against one on trainings of like length."""
    common = ["experiment=cnn_digits", "sweep=cnn", "trainer.threads=1", "trainer.epochs=12", "sweep.pruner.name=none"]
    common += [f"sweep.trials={CNN_TRIALS}", "model.filters=[16,32]", "trainer.batch_size=32"]
    one, jobs = in_clone(*common)
    two, same = in_clone(*common, "sweep.workers=2")
    keys = ("number", "overrides", "values", "identity")
    trials = [sorted([job[key] for key in keys] for job in found) for found in (jobs, same)]
    assert trials[0] == trials[1]
    return {"one worker (s)": one, "two workers (s)": two, "workers, ratio": one / two}


def pruning() -> dict[str, float | str]:
    """Epochs and the best trial of the shipped search for a CNN, with its pruner and without."""
    common = ["experiment=cnn_digits", "sweep=cnn"]
    pruned, test = with_test_score(*common)
    whole, other_test = with_test_score(*common, "sweep.pruner.name=none")
    epochs = [sum(job["epochs"] for job in jobs) for jobs in (pruned, whole)]
    best = [min(job["score"] for job in jobs if job["status"] == "FINISHED") for jobs in (pruned, whole)]
    return {
        "epochs with the pruner": epochs[0],
        "epochs without": epochs[1],
        "epochs saved": 1 - epochs[0] / epochs[1],
        "best val_loss with the pruner": best[0],
        "best val_loss without": best[1],
        "its best trial on test rows, with the pruner": test,
        "its best trial on test rows, without": other_test,
    }


PARTS = {"throughput": throughput, "workers": workers, "pruning": pruning}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", nargs="+", choices=list(PARTS), default=list(PARTS))
    found = json.loads(RESULTS.read_text())["figures"] if RESULTS.exists() else {}
    for name in parser.parse_args().only:
        found |= PARTS[name]()
        machine = {"processor": platform.processor() or platform.machine(), "cores": os.cpu_count()}
        RESULTS.write_text(json.dumps({"figures": found, "machine": machine}, indent=2) + "\n")
        print(re.sub(r"[{}\"]", "", json.dumps(found, indent=1)), flush=True)


if __name__ == "__main__":
    main()
