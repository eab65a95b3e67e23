"""A few numeric rows that are written in the YAML file itself. The last column is the target, which is a number."""

from dataclasses import dataclass

import numpy as np
from omegaconf import MISSING

from pipeline.config import DatasetConfig
from pipeline.data.schema import NUMERIC, Feature
from pipeline.data.sources.source import Source
from pipeline.data.table import Table
from pipeline.errors import ConfigError
from pipeline.tasks import TASKS


@dataclass
class InlineDataset(DatasetConfig):
    """Each of `rows` has a number for each of `columns`."""

    columns: list[str] = MISSING
    rows: list[list[float]] = MISSING


def load(config: InlineDataset) -> Table:
    """The rows of `config.rows`, one feature for each column but the last."""
    if TASKS[config.task].has_classes:
        raise ConfigError(f"dataset {config.name}: an inline dataset is for regression, found task {config.task}.")
    if len(config.columns) < 2:
        raise ConfigError(f"dataset {config.name}: found columns {config.columns}, expected a feature and a target.")
    for i, row in enumerate(config.rows):
        if len(row) != len(config.columns):
            raise ConfigError(
                f"dataset {config.name}: row {i} has {len(row)} values, expected {len(config.columns)} "
                f"({', '.join(config.columns)})."
            )
    values = np.asarray(config.rows, np.float32).reshape(-1, len(config.columns))
    *names, target = config.columns
    features = [Feature(name, NUMERIC, "float32", []) for name in names]
    inputs = {name: values[:, i] for i, name in enumerate(names)}
    return Table(features, inputs, values[:, -1], target, [])


SOURCE = Source(InlineDataset, load)
