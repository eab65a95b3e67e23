"""`dvc repro` with nothing to do, over 10, 100 and 500 stages.

python benchmarks/stages.py
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RESULTS = Path(__file__).resolve().parent / "results" / "stages.json"
STAGES = (10, 100, 500)


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
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    found = {"no_op_seconds": no_op()}
    print(json.dumps(found, indent=2))
    RESULTS.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
