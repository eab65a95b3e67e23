"""How long `prepare` takes and how much memory it needs: for rows of a source in the process, beside the code before
rows passed through memory in batches; and for a CSV file, beside a bare read of the file by pyarrow.csv. Contenders go
by turns, each time in a process of its own.

git worktree add ../before f3989d0; python benchmarks/data.py --before ../before
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
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

ROOT = Path(__file__).resolve().parents[1]
RESULTS = Path(__file__).resolve().parent / "results" / "data.json"
COLUMNS, BATCH_ROWS = 30, 65_536
NAMES = [f"x{i}" for i in range(COLUMNS)]


def numbers(num_rows: int) -> Iterator[Any]:
    """The rows, a batch at a time: (COLUMNS + 1, n) float64, of which the last row is the target."""
    for start in range(0, num_rows, BATCH_ROWS):
        random = np.random.default_rng([0, start])
        yield random.random((COLUMNS + 1, min(BATCH_ROWS, num_rows - start)))


def prepare_made(num_rows: int) -> None:
    """Prepare rows of a source in the process, by the code that PYTHONPATH names."""
    from pipeline.config import DatasetConfig, PrepareConfig, SplitConfig
    from pipeline.data.schema import Column
    from pipeline.data.sources import SOURCES
    from pipeline.data.sources.source import Columns, Source, target_column
    from pipeline.data.types.number import NumberColumn
    from pipeline.data.writing import write_prepared

    def batches(config: DatasetConfig, root: Path) -> Iterator[pa.RecordBatch]:
        for values in numbers(num_rows):
            yield pa.RecordBatch.from_arrays([pa.array(row) for row in values], [*NAMES, "y"])

    def columns(config: DatasetConfig, root: Path) -> Columns:
        return Columns([Column(name, NumberColumn("number")) for name in NAMES], target_column(config, "y"))

    SOURCES["made"] = Source(DatasetConfig, lambda config: ["number"], columns, batches)
    config = PrepareConfig(SplitConfig(1, 0.2, 0.1), DatasetConfig("made", "made", "regression"))
    measure(lambda folder: write_prepared(config, folder, ROOT))


def prepare_made_before(num_rows: int) -> None:
    """The same by code in which a source gave its arrays whole."""
    from pipeline.data.preparing import write_prepared
    from pipeline.data.table import Table

    from pipeline.config import DatasetConfig, PrepareConfig, SplitConfig
    from pipeline.data.schema import Feature
    from pipeline.data.sources import SOURCES

    def load(config: DatasetConfig) -> Table:
        arrays = np.empty((COLUMNS + 1, num_rows), np.float32)
        for i, values in enumerate(numbers(num_rows)):
            arrays[:, i * BATCH_ROWS :][:, : values.shape[1]] = values
        features = [Feature(name, "numeric", "float32", []) for name in NAMES]
        return Table(features, dict(zip(NAMES, arrays[:-1], strict=True)), arrays[-1], "y", [])

    SOURCES["made"] = load
    config = PrepareConfig(SplitConfig(1, 0.2, 0.1), DatasetConfig("made", "made", "table", "regression"))
    measure(lambda folder: write_prepared(config, folder))


def prepare_csv(path: str) -> None:
    from pipeline.config import PrepareConfig, SplitConfig
    from pipeline.data.sources.table import TableDataset
    from pipeline.data.writing import write_prepared

    columns = dict.fromkeys([*NAMES, "y"], "number")
    dataset = TableDataset("made", "table", "regression", path=path, target="y", columns=columns)
    config = PrepareConfig(SplitConfig(1, 0.2, 0.1), dataset)
    measure(lambda folder: write_prepared(config, folder, ROOT))


def read_csv(path: str) -> None:
    import pyarrow.csv

    measure(lambda folder: pyarrow.csv.read_csv(path))


def measure(work: Callable[[Path], object]) -> None:
    """Print the seconds, the processor's seconds and the peak memory in MiB of a work, which is given a new folder."""
    with tempfile.TemporaryDirectory() as folder:
        start, cpu = time.perf_counter(), time.process_time()
        work(Path(folder))
        seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "cpu": cpu, "mib": peak}))


def write_csv(path: Path, megabytes: int) -> None:
    """A file of so many megabytes: a header, and rows of numbers with six decimals."""
    from pyarrow.csv import CSVWriter

    schema = pa.schema([(name, pa.float64()) for name in [*NAMES, "y"]])
    with CSVWriter(path, schema) as writer:
        for values in numbers(sys.maxsize):
            writer.write_batch(pa.RecordBatch.from_arrays([pa.array(row) for row in values.round(6)], schema=schema))
            if path.stat().st_size > megabytes * 10**6:
                return


def by_turns(contenders: dict[str, tuple[str, str, Path]], rounds: int) -> dict[str, Any]:
    """The medians of what each contender measured in a process of its own: its name in CHILDREN, what it is given, and
    the checkout whose code it runs."""
    found: dict[str, list[Any]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, (child, given, checkout) in contenders.items():
            environment = os.environ | {"PYTHONPATH": str(checkout / "src")}
            command = [sys.executable, __file__, child, given]
            done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
            found[name].append(json.loads(done.stdout.splitlines()[-1]))
            print(f"{name} {given}: {found[name][-1]}", flush=True)
    return {
        name: {key: round(statistics.median(one[key] for one in measured), 2) for key in measured[0]}
        for name, measured in found.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--before", type=Path, help="a checkout of f3989d0, in which a source gave its rows whole")
    parser.add_argument("--megabytes", type=int, default=1000, help="the size of the CSV file")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    contenders = {"prepare": ("made", "1000000", ROOT)}
    if arguments.before:
        contenders["before"] = ("made_before", "1000000", arguments.before.resolve())
    rows = {"1000000": by_turns(contenders, arguments.rounds)}
    rows["10000000"] = by_turns({"prepare": ("made", "10000000", ROOT)}, 1)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.csv"
        write_csv(path, arguments.megabytes)
        csv = by_turns(
            {"prepare": ("csv", str(path), ROOT), "pyarrow": ("read_csv", str(path), ROOT)}, arguments.rounds
        )
    found = {"rows": rows, "csv": {"megabytes": arguments.megabytes} | csv, "load": round(os.getloadavg()[1], 1)}
    print(json.dumps(found, indent=2))
    RESULTS.write_text(json.dumps(found, indent=2) + "\n")


CHILDREN: dict[str, Callable[[str], None]] = {
    "made": lambda given: prepare_made(int(given)),
    "made_before": lambda given: prepare_made_before(int(given)),
    "csv": prepare_csv,
    "read_csv": read_csv,
}

if __name__ == "__main__":
    if sys.argv[1:2] and sys.argv[1] in CHILDREN:
        CHILDREN[sys.argv[1]](sys.argv[2])
    else:
        main()
