"""The datasets that ship with scikit-learn. They are real and small, and need no network."""

from dataclasses import dataclass

import numpy as np
from omegaconf import MISSING

from pipeline.config import DatasetConfig
from pipeline.data.schema import IMAGE, NUMERIC, Feature
from pipeline.data.sources.source import Source
from pipeline.data.table import Table
from pipeline.errors import ConfigError, did_you_mean
from pipeline.tasks import TASKS

LOADERS = ("breast_cancer", "diabetes", "digits", "iris", "wine")


@dataclass
class SklearnDataset(DatasetConfig):
    """`loader` is one of LOADERS."""

    loader: str = MISSING


def load(config: SklearnDataset) -> Table:
    """All rows of `sklearn.datasets.load_<loader>`, as float32. With `modality: image`, digits gives (8, 8, 1)."""
    from sklearn import datasets

    if config.loader not in LOADERS:
        raise ConfigError(f"dataset.loader: '{config.loader}' is unknown {did_you_mean(config.loader, LOADERS)}")
    bunch = getattr(datasets, f"load_{config.loader}")()
    if config.modality == "image":
        if "images" not in bunch:
            raise ConfigError(f"dataset.modality: {config.loader} holds no images. Set modality: table.")
        pixels = np.asarray(bunch.images, np.float32)[..., np.newaxis]
        features = [Feature("image", IMAGE, "float32", list(pixels.shape[1:]))]
        inputs = {"image": pixels}
    else:
        values = np.asarray(bunch.data, np.float32)
        names = [str(name) for name in bunch.feature_names]
        features = [Feature(name, NUMERIC, "float32", []) for name in names]
        inputs = {name: values[:, i] for i, name in enumerate(names)}
    named = "target_names" in bunch  # without names of classes, the target is a number
    classes = [str(name) for name in bunch.target_names] if named and TASKS[config.task].has_classes else []
    target = np.asarray(bunch.target, np.int32 if classes else np.float32)
    return Table(features, inputs, target, "target", classes)


SOURCE = Source(SklearnDataset, load)
