"""The whole pipeline against five plain Keras scripts that train, autolog and register the same five models.

python benchmarks/repro.py [--repeats 1]

Everything runs in temporary folders, one after another, on the machine as it is; ratios are what to read.
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
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "repro.json"
SHORT_REPEATS = 5
# of the environment
DROPPED = ("MLFLOW_TRACKING_URI", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE")


def timed(command: list[str], folder: Path, **extra: str) -> float:
    """Seconds that a command takes. Python keeps what it has compiled, as it does unless it is told not to."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {k: v for k, v in os.environ.items() if k not in DROPPED}
    start = time.perf_counter()
    done = subprocess.run(
        command, cwd=folder, env=environment | {"PATH": path} | extra, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    return time.perf_counter() - start


def plain_scripts(folder: Path) -> dict[str, float]:
    """Seconds of each plain script, with the epochs of conf/experiment."""
    seconds = {}
    for script in sorted((ROOT / "benchmarks" / "plain").glob("*.py")):
        experiment = yaml.safe_load((ROOT / "conf" / "experiment" / f"{script.stem}.yaml").read_text())
        epochs = str(experiment["trainer"]["epochs"])
        uri = f"sqlite:///{folder}/mlflow.db"
        seconds[script.stem] = timed([sys.executable, str(script), epochs], folder, MLFLOW_TRACKING_URI=uri)
    return seconds


def keep_compared(clone: Path) -> None:
    """Leave in params.yaml the experiments that have a plain script, and their datasets."""
    params = yaml.safe_load((clone / "params.yaml").read_text())
    scripts = {script.stem for script in (ROOT / "benchmarks" / "plain").glob("*.py")}
    kept = {name: dataset for name, dataset in params["experiments"].items() if name in scripts}
    minima = {name: least for name, least in params["promotion"]["minima"].items() if name in kept}
    params |= {"experiments": kept, "datasets": sorted(set(kept.values()))}
    params["promotion"]["minima"] = minima
    (clone / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--repeats", type=int, default=1)
    repeats = parser.parse_args().repeats
    ours, theirs, nothing = [], [], []
    for _ in range(repeats):
        with tempfile.TemporaryDirectory() as name:
            clone = Path(name) / "clone"
            subprocess.run(["git", "clone", "-q", str(ROOT), str(clone)], check=True)
            keep_compared(clone)
            ours.append(timed(["dvc", "repro", "-f", "--no-run-cache"], clone))
            theirs.append(plain_scripts(Path(name)))
            nothing += [timed(["dvc", "repro"], clone) for _ in range(SHORT_REPEATS)]
            help_command = [sys.executable, "-m", "pipeline.train", "--help"]
            helps = [timed(help_command, clone) for _ in range(SHORT_REPEATS)]
    totals = [sum(seconds.values()) for seconds in theirs]
    figures = {
        "dvc repro, cold (s)": statistics.median(ours),
        "five plain scripts (s)": statistics.median(totals),
        "ratio": statistics.median(o / t for o, t in zip(ours, totals, strict=True)),
        "dvc repro, nothing to do (s)": statistics.median(nothing),
        "pipeline.train --help (s)": statistics.median(helps),
    }
    print("| figure | value |\n|---|---|")
    for label, value in figures.items():
        print(f"| {label} | {value:.2f} |")
    machine = {"processor": platform.processor() or platform.machine(), "cores": os.cpu_count()}
    machine["python"] = platform.python_version()
    record = {"figures": figures, "plain": theirs, "machine": machine}
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(record, indent=2) + "\n")


if __name__ == "__main__":
    main()
