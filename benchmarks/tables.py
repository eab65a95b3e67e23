"""Tables from files, by our commands: test scores and seconds, beside scikit-learn's models and Ludwig's defaults.

python benchmarks/tables.py [folder] [--ludwig <python with Ludwig>] [--cases logistic_penguins ...] [--seeds 1 2 3]

The datasets and experiments are those of conf/. The folder (else $PIPELINE_DATA_MIRROR), if there is one, is the mirror
from which their files come. Everything runs in a temporary copy of the sources.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parent))

from quality import ROOT, copy_sources, score

RESULTS = ROOT / "benchmarks" / "results" / "tables.json"
RIVAL = ROOT / "benchmarks" / "rivals" / "ludwig_table.py"
LUDWIG_SECONDS = 1200


@dataclass(frozen=True)
class Case:
    """What is measured, over which split seeds, and what we set out for."""

    dataset: str
    metric: str
    seeds: tuple[int, ...]
    goal: float


CASES = {
    "logistic_penguins": Case("penguins", "accuracy", (1, 2, 3, 4, 5), 0.98),
    "linear_california_housing": Case("california_housing", "rmse", (1, 2, 3), 70_000),
    "mlp_california_housing": Case("california_housing", "rmse", (1, 2, 3), 50_000),
}


def ours(root: Path, experiment: str, case: Case, seed: int) -> dict[str, Any]:
    """Our score and scikit-learn's on one split, and the seconds of prepare, train and evaluate."""
    start = time.perf_counter()
    report = score(root, experiment, case.dataset, seed, [])
    seconds = time.perf_counter() - start
    others = {reference["model"]: reference[case.metric] for reference in report["references"]}
    return {"seed": seed, "score": report["test"][case.metric]["value"], "seconds": seconds, "references": others}


def ludwig(python: str, root: Path, case: Case) -> dict[str, float]:
    """Ludwig's score on the split that stands prepared in `root`, and its seconds, its start included."""
    prepared = root / "data" / "prepared" / case.dataset
    schema = json.loads((prepared / "schema.json").read_text())
    parts = [
        pd.read_parquet(prepared / f"{split}.parquet").assign(split=i)
        for i, split in enumerate(("train", "validation", "test"))
    ]
    table = pd.concat(parts, ignore_index=True)
    columns = {
        "features": {column["name"]: column["config"]["type"] for column in schema["features"]},
        "target": "target",
        "kind": "category" if schema["classes"] else "number",
    }
    paths = [root / name for name in ("ludwig.csv", "ludwig.json", "answers.json")]
    table.drop(columns="row").to_csv(paths[0], index=False)
    paths[1].write_text(json.dumps(columns))
    start = time.perf_counter()
    command = [python, str(RIVAL), *map(str, paths)]
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        command, cwd=root, env=environment, capture_output=True, text=True, check=False, timeout=LUDWIG_SECONDS
    )
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)}\n{done.stderr[-2000:]}")
    seconds = time.perf_counter() - start
    target, answers = parts[2]["target"].to_numpy(), np.array(json.loads(paths[2].read_text()))
    found = (answers == target).mean() if schema["classes"] else np.sqrt(np.square(answers - target).mean())
    return {"score": float(found), "seconds": seconds}


def measure(experiment: str, case: Case, seeds: list[int], python: str | None) -> dict[str, Any]:
    runs = []
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        copy_sources(root)
        for seed in seeds:
            runs.append(ours(root, experiment, case, seed))
            if python:
                runs[-1]["ludwig"] = ludwig(python, root, case)
    return {"metric": case.metric, "goal": case.goal, "runs": runs}


def table(cases: dict[str, Any]) -> str:
    """Means over the splits, and median seconds."""
    heads = ("table", "metric", "goal", "ours", "scikit-learn", "Ludwig's defaults", "s, ours", "s, Ludwig")
    lines = [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    for name, found in cases.items():
        runs, digits = found["runs"], 4 if found["metric"] == "accuracy" else 0

        def mean(scores: list[float], digits: int = digits) -> str:
            return f"{statistics.mean(scores):,.{digits}f}"

        score = statistics.mean(run["score"] for run in runs)
        met = score >= found["goal"] if digits else score <= found["goal"]
        others = ", ".join(
            f"{model} {mean([run['references'][model] for run in runs])}" for model in runs[0]["references"]
        )
        theirs = [run["ludwig"] for run in runs if "ludwig" in run]
        cells = [
            f"{name}, {len(runs)} splits",
            found["metric"],
            f"{found['goal']:,}: {'met' if met else 'missed'}",
            mean([run["score"] for run in runs]),
            others,
            f"{mean([run['score'] for run in theirs])} ({len(theirs)} of them)" if theirs else "left out",
            f"{statistics.median(run['seconds'] for run in runs):.0f}",
            f"{statistics.median(run['seconds'] for run in theirs):.0f}" if theirs else "left out",
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", nargs="?", default=os.environ.get("PIPELINE_DATA_MIRROR"))
    parser.add_argument("--ludwig", help="a Python that has Ludwig; without it, Ludwig is left out")
    parser.add_argument("--cases", nargs="+", default=list(CASES), choices=list(CASES))
    parser.add_argument("--seeds", type=int, nargs="+")
    given = parser.parse_args()
    if given.folder:
        os.environ["PIPELINE_DATA_MIRROR"] = given.folder
    found = json.loads(RESULTS.read_text())["cases"] if RESULTS.exists() else {}
    for name in given.cases:
        case = CASES[name]
        found[name] = measure(name, case, given.seeds or list(case.seeds), given.ludwig)
        print(table({name: found[name]}), flush=True)
        machine = {"processor": platform.processor() or platform.machine(), "cores": os.cpu_count()}
        RESULTS.write_text(json.dumps({"cases": found, "machine": machine}, indent=2) + "\n")


if __name__ == "__main__":
    main()
