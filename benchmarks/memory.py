"""Peak resident memory of a training that streams, with 1, 10 and 30 times the rows, and of one that does not.

python benchmarks/memory.py
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

RESULTS = Path(__file__).resolve().parent / "results" / "memory.json"
ROWS = 8192
SIZES = (1, 10, 30)


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
                target = pa.array(random.integers(0, 10, ROWS)).cast(pa.string())
                columns = [pa.array(["row"] * ROWS), pa.FixedSizeListArray.from_arrays(pixels, 784), target]
                writer.write_table(
                    pa.table(columns, schema=_schema()), row_group_size=chunk_rows([pa.list_(pa.float32(), 784)])
                )


def _schema() -> Any:
    import pyarrow as pa

    return pa.schema([("row", pa.string()), ("image", pa.list_(pa.float32(), 784)), ("target", pa.string())])


def train_once(folder: Path, resident_bytes: int) -> None:
    """One epoch of logistic regression on the dataset in `folder`; prints the peak memory in MiB."""
    from pipeline.config import Config, DatasetConfig, OptimizerConfig, SplitConfig, TrainerConfig
    from pipeline.data.prepared import open_split
    from pipeline.data.sampling import TrainingData
    from pipeline.data.schema import Column, Schema
    from pipeline.data.types.image import ImageColumn
    from pipeline.model.families import FAMILIES
    from pipeline.tensorflow_process import load_tensorflow

    trainer = TrainerConfig("compiled", 1, 256, OptimizerConfig(), resident_bytes=resident_bytes)
    load_tensorflow(trainer.tensorflow)
    from pipeline.tracking.journal import Journal
    from pipeline.training.fit import fit

    features = [Column("image", ImageColumn("image", shape=[28, 28, 1]))]
    schema = Schema("made", "multiclass", "hash", features, "target", [str(k) for k in range(10)])
    splits = [open_split(folder, name, schema, resident_bytes) for name in ("train", "validation")]
    model = FAMILIES["logistic"].config(family="logistic")
    config = Config("made", 1, SplitConfig(1, 0.2, 0.1), DatasetConfig("made"), model, trainer=trainer)
    with tempfile.TemporaryDirectory() as run:
        fit(config, TrainingData(schema, *splits), Path(run), Journal(Path(run) / "journal.jsonl"))
    print(json.dumps({"peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))


def peaks_by_size() -> dict[str, dict[str, float]]:
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


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--train", help="a dataset's folder: train once and print the peak")
    parser.add_argument("--resident-bytes", type=int)
    arguments = parser.parse_args()
    if arguments.train:
        train_once(Path(arguments.train), arguments.resident_bytes)
        return
    found = {"peak_mib": peaks_by_size()}
    print(json.dumps(found, indent=2))
    RESULTS.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
