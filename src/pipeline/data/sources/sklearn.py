"""The datasets that ship with scikit-learn. They are real and small, and need no network."""

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
from pipeline.data.types.image import ImageColumn
from pipeline.data.types.number import NumberColumn
from pipeline.errors import ConfigError, did_you_mean
from pipeline.tasks import TASKS

LOADERS = ("breast_cancer", "diabetes", "digits", "iris", "wine")
IMAGE, TARGET = "image", "target"


@dataclass
class SklearnDataset(DatasetConfig):
    """`loader` is one of LOADERS. With `images`, each row of digits is one image, and else 64 numbers."""

    loader: str = MISSING
    images: bool = False


def _types(config: SklearnDataset) -> list[str]:
    return ["image" if config.images else "number"]


def columns(config: SklearnDataset, root: Path) -> Columns:
    """The columns of `sklearn.datasets.load_<loader>`, each a number, or one image."""
    bunch = _bunch(config)
    target = target_column(config, TARGET, _classes(config, bunch))
    if config.images:
        return Columns([Column(IMAGE, ImageColumn("image", shape=[*bunch.images.shape[1:], 1]))], target)
    return Columns([Column(str(name), NumberColumn("number")) for name in bunch.feature_names], target)


def batches(config: SklearnDataset, root: Path) -> Iterator[pa.RecordBatch]:
    """All rows at once."""
    bunch = _bunch(config)
    classes = _classes(config, bunch)
    values: dict[str, pa.Array] = {}
    if config.images:
        pixels = np.asarray(bunch.images, np.float32)
        size = int(np.prod(pixels.shape[1:]))
        values[IMAGE] = pa.FixedSizeListArray.from_arrays(pa.array(pixels.reshape(-1)), size)
    else:
        data = np.asarray(bunch.data, np.float64)
        values |= {str(name): pa.array(column) for name, column in zip(bunch.feature_names, data.T.copy(), strict=True)}
    values[TARGET] = pa.array(np.array(classes)[bunch.target] if classes else np.asarray(bunch.target, np.float64))
    yield pa.RecordBatch.from_pydict(values)


def _bunch(config: SklearnDataset) -> Any:
    from sklearn import datasets

    if config.loader not in LOADERS:
        raise ConfigError(f"dataset.loader: '{config.loader}' is unknown {did_you_mean(config.loader, LOADERS)}")
    bunch = getattr(datasets, f"load_{config.loader}")()
    if config.images and "images" not in bunch:
        raise ConfigError(f"dataset.images: {config.loader} holds no images. Remove images.")
    return bunch


def _classes(config: SklearnDataset, bunch: Any) -> list[str]:
    """The names of the classes by their numbers; none where the target is a number."""
    if not TASKS[config.task].has_classes:
        return []
    if "target_names" not in bunch:
        raise ConfigError(
            f"dataset {config.name}: target '{TARGET}' is a number and has no classes, as task {config.task} needs. "
            "Set task: regression."
        )
    return [str(name) for name in bunch.target_names]


SOURCE = Source(SklearnDataset, _types, columns, batches)
