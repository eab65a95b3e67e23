"""The rows that a model trains on and is validated on, as a trainer takes them."""

import math
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pipeline.config import TrainerConfig
from pipeline.data.rows_file import RowsFile
from pipeline.layout import TRAIN, VALIDATION
from pipeline.model.assembly import Assembled
from pipeline.tasks.task import Target
from pipeline.training.feature_cache import FeatureCache

if TYPE_CHECKING:
    import keras

    from pipeline.data.prepared import AnySplit
    from pipeline.data.sampling import TrainingData

EVALUATED_ROWS, EVALUATED_BYTES = 1024, 2**26


@dataclass(frozen=True)
class Examples:
    """`features` (N, ...), by their kind, are in memory or in files. `target` is what the loss compares the core's
    outputs with. `weight` (N,) is None where all rows weigh the same. `at_once` says how many rows are evaluated
    together."""

    features: dict[str, NDArray[Any]] | dict[str, RowsFile]
    target: NDArray[np.float32 | np.int32]
    weight: NDArray[np.float32] | None
    at_once: int

    @property
    def num_rows(self) -> int:
        return len(self.target)

    @property
    def streamed(self) -> bool:
        return any(isinstance(values, RowsFile) for values in self.features.values())

    def close(self) -> None:
        """Close the files of the features, where they are in files."""
        for values in self.features.values():
            if isinstance(values, RowsFile):
                values.close()


def make_examples(
    model: Assembled, data: "TrainingData", config: TrainerConfig, cache: FeatureCache | None
) -> tuple[Examples, Examples]:
    """The examples to train on and to validate on. Features that take too many bytes for memory stay in files.

    Without a `cache`, nothing but the examples can find these files.
    """
    if cache is None:
        with TemporaryDirectory() as folder:
            return make_examples(model, data, config, FeatureCache(Path(folder) / "features", 0))
    train, validation = (
        _examples(model, config, split, cache.features(name, partial(model.feature_chunks, split)))
        for name, split in ((TRAIN, data.train), (VALIDATION, data.validation))
    )
    if config.class_weight == "balanced":  # as in Keras' fit, class weights do not change the validation loss
        by_class = class_weights(data.train.target, len(data.schema.classes))
        own = data.train.weight
        train = replace(train, weight=by_class if own is None else by_class * own)
    return train, validation


def _examples(model: Assembled, config: TrainerConfig, split: "AnySplit", files: dict[str, RowsFile]) -> Examples:
    features: dict[str, NDArray[Any]] | dict[str, RowsFile] = files
    if split.num_rows * sum(file.row_bytes for file in files.values()) <= config.resident_bytes:
        features = {name: file.all() for name, file in files.items()}
        for file in files.values():
            file.close()
    at_once = rows_at_once(model.core, config.batch_size)
    return Examples(features, model.head.training_target(split.target), split.weight, at_once)


def class_weights(target: Target, num_classes: int) -> NDArray[np.float32]:
    """Each row's balanced weight N / (K * N_k), for N_k rows of its class (King and Zeng 2001; scikit-learn's
    `balanced`)."""
    labels = target.reshape(-1).astype(int)
    counts = np.bincount(labels, minlength=num_classes)[labels]
    weights: NDArray[np.float32] = (len(labels) / (num_classes * counts)).astype(np.float32)
    return weights


def rows_at_once(core: "keras.Model", batch_size: int) -> int:
    """How many rows the core evaluates together, which is EVALUATED_ROWS at most.

    It takes fewer where a layer's outputs for so many rows would exceed EVALUATED_BYTES, but no fewer than the rows of
    a batch, because training on these takes more memory anyway.
    """
    widest: int = max(4 * math.prod(layer.output.shape[1:]) for layer in core.layers)
    return min(EVALUATED_ROWS, max(batch_size, EVALUATED_BYTES // widest))
