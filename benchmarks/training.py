"""Training loops: `trainer=compiled` beside keras fit (numpy; tuned tf.data) and an ordinary PyTorch loop.

python benchmarks/training.py [--only cnn] [--rounds 5]

Same model, optimizer, batch and validation for all; ours journals and writes TensorBoard as it always does. Rivals
use all instructions of the processor; ours those that `trainer.instruction_set` allows by default, and `native` beside.
Every contender is a process of its own, the rounds go by turns, and only one works at a time. A figure is seconds an
epoch after the first, a ratio the median over the rounds of rival / ours. A rival that is not installed is left out.
"""

import argparse
import importlib.util
import json
import os
import platform
import statistics
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from rivals.cases import CASES

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results" / "training.json"
CONTENDERS = {
    "ours": ["compiled"],
    "native": ["compiled", "native"],
    "keras": ["keras_numpy"],
    "keras_tuned": ["keras_tuned"],
    "torch": ["pytorch"],
}
RIVALS = {"keras": "keras fit", "keras_tuned": "keras fit, tuned", "torch": "PyTorch"}


class Contender:
    """A process that trains once for each line it is sent, and answers with {first_epoch, epoch} in seconds."""

    def __init__(self, module: str, *options: str, case: str) -> None:
        command = [sys.executable, "-m", f"rivals.{module}", case, *options]
        self._process = subprocess.Popen(
            command, cwd=HERE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )

    def measure(self) -> dict[str, float]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        for line in self._process.stdout:
            if line.startswith("{"):
                answer: dict[str, float] = json.loads(line)
                return answer
        raise SystemExit(f"{self._process.args} ended with {self._process.wait()}")

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


def measure(case: str, rounds: int) -> dict[str, Any]:
    """Median seconds of each contender and the median ratios to ours."""
    contenders = {name: Contender(*command, case=case) for name, command in CONTENDERS.items() if _is_there(name)}
    rows: list[dict[str, dict[str, float]]] = []
    for _ in range(rounds):
        rows.append({name: contender.measure() for name, contender in contenders.items()})
    for contender in contenders.values():
        contender.close()
    epochs = {name: statistics.median(row[name]["epoch"] for row in rows) for name in contenders}
    first = {name: rows[0][name]["first_epoch"] for name in contenders}
    ratios = {
        name: statistics.median(row[name]["epoch"] / row["ours"]["epoch"] for row in rows)
        for name in contenders
        if name != "ours"
    }
    return {"seconds_an_epoch": epochs, "seconds_to_first_epoch": first, "ratio": ratios}


def _is_there(name: str) -> bool:
    return name != "torch" or importlib.util.find_spec("torch") is not None


def floors() -> dict[str, float]:
    """By case, the milliseconds that an epoch's matrix products and convolutions would take at the speed of a large
    matrix product."""
    command = [sys.executable, "-m", "rivals.arithmetic"]
    done = subprocess.run(command, cwd=HERE, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout.splitlines()[-1])
    return {case: 1000 * gflop / found["gflops"] for case, gflop in found["gflop"].items()}


def table(results: dict[str, Any], floors_ms: dict[str, float]) -> str:
    """The results as a Markdown table: how many times faster than each rival."""
    head = ("ms an epoch", "ms of products", "ms, `native`", *RIVALS.values())
    lines = [f"| | {' | '.join(head)} | s to first epoch (keras fit, PyTorch) |"]
    lines.append("|---|---|---|---|---|---|---|---|")
    for case, found in results.items():
        ratios = [f"{found['ratio'][name]:.1f}x" if name in found["ratio"] else "-" for name in RIVALS]
        first = found["seconds_to_first_epoch"]
        others = ", ".join(f"{first[name]:.1f}" for name in ("keras", "torch") if name in first)
        mine, native = (1000 * found["seconds_an_epoch"][name] for name in ("ours", "native"))
        ours = f"{mine:.2f} | {floors_ms[case]:.2f} | {native:.2f}"
        lines.append(f"| {case} | {ours} | {' | '.join(ratios)} | {first['ours']:.1f} ({others}) |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", default="", help="a part of the cases' names")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    for name in CONTENDERS:
        if not _is_there(name):
            print(f"{name} is not installed and is left out")
    results, floors_ms = {}, floors()
    for case in [case for case in CASES if arguments.only in case]:
        results[case] = measure(case, arguments.rounds)
        print(table({case: results[case]}, floors_ms).splitlines()[-1], flush=True)
    print(table(results, floors_ms))
    if set(results) == set(CASES):
        machine = {"processor": platform.machine(), "cores": os.cpu_count(), "python": platform.python_version()}
        if _is_there("torch"):
            machine["torch"] = f", PyTorch {version('torch')}"
        measured = {"machine": machine, "rounds": arguments.rounds, "floors_ms": floors_ms, "cases": results}
        RESULTS.write_text(json.dumps(measured, indent=2) + "\n")


if __name__ == "__main__":
    main()
