"""Test scores over several split seeds, beside scikit-learn on the same splits.

python benchmarks/quality.py [--seeds 1 2 3 4 5] [--experiments cnn_digits rnn_digits] [--override key=value ...]

It takes the experiments of params.yaml, or any in conf/experiment that are named.
Runs prepare, train and evaluate in a temporary copy of the sources; this checkout is not touched.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
TREE = ("conf", "src", "params.yaml", "dvc.yaml", "requirements.lock")
GOALS = {"cnn_digits": 0.992, "rnn_digits": 0.986}


def copy_sources(target: Path) -> None:
    for name in TREE:
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy2)(source, target / name)


def dataset_of(experiment: str) -> str:
    """The dataset that the experiment's file chooses."""
    content = yaml.safe_load((ROOT / "conf" / "experiment" / f"{experiment}.yaml").read_text())
    return next(line["override /dataset"] for line in content["defaults"] if "override /dataset" in line)


def score(root: Path, experiment: str, dataset: str, seed: int, overrides: list[str]) -> tuple[Any, dict[str, float]]:
    """report.json of one experiment on one split, and the seconds of each command and of all of them."""
    seconds: dict[str, float] = {}
    environment = os.environ | {"PYTHONPATH": str(root / "src"), "MLFLOW_TRACKING_URI": f"sqlite:///{root}/mlflow.db"}
    for command in (
        ["prepare", f"dataset={dataset}"],
        ["train", f"experiment={experiment}", f"output=build/train/{experiment}", *overrides],
        ["evaluate", f"experiment={experiment}"],
    ):
        line = [sys.executable, "-m", f"pipeline.{command[0]}", *command[1:], f"split.seed={seed}"]
        start = time.perf_counter()
        done = subprocess.run(line, cwd=root, env=environment, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise SystemExit(f"{' '.join(line)}\n{done.stderr}")
        seconds[command[0]] = time.perf_counter() - start
    report = json.loads((root / "build" / "evaluate" / experiment / "report.json").read_text())
    return report, seconds | {"all": sum(seconds.values())}


def main() -> None:
    experiments = list(yaml.safe_load((ROOT / "params.yaml").read_text())["experiments"])
    known = sorted(path.stem for path in (ROOT / "conf" / "experiment").glob("*.yaml"))
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5])
    parser.add_argument("--experiments", nargs="+", default=experiments, choices=known)
    parser.add_argument("--override", nargs="*", default=[])
    given = parser.parse_args()
    results = {}
    print("| experiment | metric | mean | by split seed | scikit-learn | goal |\n|---|---|---|---|---|---|")
    for experiment in given.experiments:
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            copy_sources(root)
            found = [score(root, experiment, dataset_of(experiment), seed, given.override)[0] for seed in given.seeds]
        name = found[0]["primary"]
        ours = [metrics["test"][name]["value"] for metrics in found]
        theirs = {
            references[0]["model"]: [reference[name] for reference in references]
            for references in zip(*(metrics["references"] for metrics in found), strict=True)
        }
        results[experiment] = {"metric": name, "seeds": given.seeds, "scores": ours, "references": theirs}
        goal = GOALS.get(experiment, "reference")
        beside = ", ".join(f"{model} {statistics.mean(scores):.4f}" for model, scores in theirs.items())
        by_seed = ", ".join(f"{value:.4f}" for value in ours)
        line = (experiment, name, f"{statistics.mean(ours):.4f}", by_seed, beside, goal)
        print("| " + " | ".join(str(cell) for cell in line) + " |", flush=True)
    if not given.override and set(given.experiments) == set(experiments):
        (ROOT / "benchmarks" / "results" / "quality.json").write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
