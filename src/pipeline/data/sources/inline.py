"""A few numeric rows that are written in the YAML file itself. The last column is the target, which is a number."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from omegaconf import MISSING

from pipeline.config import DatasetConfig
from pipeline.data.schema import Column
from pipeline.data.sources.source import Columns, Source, target_column
from pipeline.data.types.number import NumberColumn
from pipeline.errors import ConfigError
from pipeline.tasks import TASKS


@dataclass
class InlineDataset(DatasetConfig):
    """Each of `rows` has a number for each of `columns`."""

    columns: list[str] = MISSING
    # OmegaConf does not take a whole number for a float in a list of lists, so `check` makes floats of them.
    rows: Any = MISSING

    def check(self) -> None:
        super().check()
        rows = self.rows if isinstance(self.rows, list) else [self.rows]
        for i, row in enumerate(rows):
            if not isinstance(row, list) or not all(type(value) in (int, float) for value in row):
                raise ConfigError(f"dataset.rows[{i}]: found {row!r}, expected a list of numbers.")
        self.rows = [[float(value) for value in row] for row in rows]


def columns(config: InlineDataset, root: Path) -> Columns:
    """Each column but the last is a feature."""
    if TASKS[config.task].has_classes:
        raise ConfigError(f"dataset {config.name}: an inline dataset is for regression, found task {config.task}.")
    if len(config.columns) < 2:
        raise ConfigError(f"dataset {config.name}: found columns {config.columns}, expected a feature and a target.")
    *names, target = config.columns
    return Columns([Column(name, NumberColumn("number")) for name in names], target_column(config, target))


def batches(config: InlineDataset, root: Path) -> Iterator[pa.RecordBatch]:
    """The rows of `config.rows`."""
    for i, row in enumerate(config.rows):
        if len(row) != len(config.columns):
            raise ConfigError(
                f"dataset {config.name}: row {i} has {len(row)} values, expected {len(config.columns)} "
                f"({', '.join(config.columns)})."
            )
    values = np.asarray(config.rows, np.float64).reshape(-1, len(config.columns))
    yield pa.RecordBatch.from_arrays([pa.array(column) for column in values.T.copy()], config.columns)


SOURCE = Source(InlineDataset, lambda config: ["number"], columns, batches)
