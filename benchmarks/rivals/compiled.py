"""Ours: `fit` of the pipeline with the trainer `compiled`, journal and TensorBoard included."""

import functools
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from pipeline.config import Config, DatasetConfig, OptimizerConfig, SplitConfig, TensorFlowConfig, TrainerConfig
from pipeline.data.prepared import Split
from pipeline.data.sampling import TrainingData
from pipeline.data.schema import Column, Schema
from pipeline.data.types.image import ImageColumn
from pipeline.data.types.number import NumberColumn
from pipeline.model.families import FAMILIES
from pipeline.tensorflow_process import load_tensorflow
from rivals.cases import Case, serve


def schema_of(case: Case) -> Schema:
    task = {0: "regression", 2: "binary"}.get(case.classes, "multiclass")
    classes = [str(k) for k in range(case.classes)]
    if len(case.shape) == 1:
        features = [Column(f"x{i}", NumberColumn("number")) for i in range(case.shape[0])]
    else:
        features = [Column("image", ImageColumn("image", shape=[*case.shape, 1][:3]))]
    return Schema("made", task, "hash", features, "target", classes)


def split_of(case: Case, schema: Schema, number: int) -> Split:
    features, target = case.data(number)
    if len(case.shape) == 1:
        columns = {column.name: pa.array(features[:, i].astype(np.float64)) for i, column in enumerate(schema.features)}
    else:
        size = int(np.prod(case.shape))
        columns = {"image": pa.FixedSizeListArray.from_arrays(pa.array(features.reshape(-1)), size)}
    return Split(np.arange(len(target)).astype(str), pa.table(columns), target)


def config_of(case: Case, **settings: Any) -> Config:
    model = FAMILIES[case.family].config(family=case.family, **case.model)
    optimizer = OptimizerConfig("adam", case.learning_rate)
    trainer = TrainerConfig("compiled", case.epochs, case.batch_size, optimizer, **settings)
    return Config("made", 1, SplitConfig(1, 0.2, 0.1), DatasetConfig("made"), model, trainer=trainer)


def train(case: Case, **settings: Any) -> list[float]:
    from pipeline.tracking.journal import Journal
    from pipeline.training.fit import fit

    class Clock(Journal):
        def metrics(self, epoch: int, values: dict[str, float]) -> None:
            super().metrics(epoch, values)
            clock.append(time.perf_counter())

    schema = schema_of(case)
    splits = [split_of(case, schema, number) for number in (0, 1)]
    config: Any = config_of(case, **settings)
    with tempfile.TemporaryDirectory() as folder:
        clock = [time.perf_counter()]
        fit(config, TrainingData(schema, *splits), Path(folder), Clock(Path(folder) / "journal.jsonl"))
    return clock


if __name__ == "__main__":
    settings = {"instruction_set": sys.argv[2]} if len(sys.argv) > 2 else {}
    load_tensorflow(TensorFlowConfig(**settings))
    serve(functools.partial(train, **settings))
