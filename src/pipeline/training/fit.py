"""From a configuration and prepared data to a trained model."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.config import Config, TrainerConfig
from pipeline.data.history import EpochValues
from pipeline.data.prepared import AnySplit
from pipeline.data.rows_file import RowsFile
from pipeline.data.schema import Schema
from pipeline.layout import CHECKPOINTS, TENSORBOARD, TRAIN, VALIDATION
from pipeline.model.assembly import Assembled, assemble
from pipeline.model.augmentation import build_augmentation
from pipeline.model.xla import speed_up
from pipeline.tracking.journal import Journal
from pipeline.tracking.tensorboard import TensorBoardWriter
from pipeline.training import TRAINERS, runtime
from pipeline.training.checkpoint import Checkpoints
from pipeline.training.compilation import refused_by_xla, uses_xla
from pipeline.training.distribution import MULTI_WORKER, build_strategy, is_chief, lost_worker
from pipeline.training.interrupts import Interrupts
from pipeline.training.job import Examples, Job, class_weights, rows_at_once
from pipeline.training.lifecycle import Lifecycle
from pipeline.training.observer import Observer
from pipeline.training.profile import profiled
from pipeline.training.progress import Progress
from pipeline.training.replicas import check_same_start


def fit(
    config: Config,
    schema: Schema,
    train: AnySplit,
    validation: AnySplit,
    journal: Journal,
    folder: Path,
    params: dict[str, Any],
) -> tuple[Assembled, list[EpochValues]]:
    """Assemble one experiment's model and train it, from the last checkpoint in the run's `folder` if there is one;
    return it with each epoch's values. Of several workers only the chief writes."""
    settings = config.trainer
    device = runtime.start_session(settings, config.seed)
    strategy, writes = build_strategy(settings.strategy), is_chief(settings)
    checkpoints = Checkpoints(folder / CHECKPOINTS, folder.name, writes)
    saved = checkpoints.latest()
    done = saved.epoch if saved else 0
    if settings.strategy == MULTI_WORKER:
        with lost_worker(settings.strategy):
            check_same_start(strategy, folder.name, done)
    if saved:
        print(f"{config.name}: going on after epoch {done}, from {folder / CHECKPOINTS}")
    with strategy.scope():
        model = assemble(config, schema, train)
        augment = build_augmentation(settings.augmentation, model.core.input_shape[1:])
    with runtime.memory_advice(settings.batch_size):
        examples, held_out = (
            _examples(model, settings, split, folder / f"{name}.features")
            for name, split in ((TRAIN, train), (VALIDATION, validation))
        )
    if settings.class_weight == "balanced":  # as in Keras' fit, what is validated counts as it is
        by_class = class_weights(train.target, len(schema.classes))
        examples = replace(examples, weight=by_class if train.weight is None else by_class * train.weight)
    xla = uses_xla(settings, model.core, examples.num_rows)
    used = {"precision": settings.precision, "instruction_set": settings.instructions, "strategy": settings.strategy}
    used |= {"device": device, "replicas": str(strategy.num_replicas_in_sync), "xla": "on" if xla else "off"}
    journal.tags(used)
    # what an earlier, finished run of this identity wrote for TensorBoard stands
    board = TensorBoardWriter(folder / TENSORBOARD, done) if writes and not journal.finished else None
    progress = Progress(config.name, settings.epochs, done, writes)
    history: list[EpochValues] = saved.values["history"] if saved else []
    looks = settings.tensorboard.spaced(settings.epochs)
    observer = Observer(model, schema, held_out, journal, progress, board, looks, history)
    try:
        with Interrupts() as interrupts, runtime.memory_advice(settings.batch_size), lost_worker(settings.strategy):
            if not done:
                observer.describe(params)
            # after the observer, whose graph is of Keras' own layers
            if xla:
                speed_up(model.core, runtime.on_gpu())
            life = Lifecycle(model.core, settings, config.checkpoint, observer, checkpoints, saved, interrupts)
            job = Job(model.core, augment, model.head, examples, held_out, settings, config.seed, xla, strategy, life)
            life.check(job.value_names)
            with strategy.scope(), refused_by_xla(xla), profiled(settings.profile and writes, folder / TENSORBOARD):
                TRAINERS[settings.name](job)
    finally:
        progress.close()
        journal.flush()
        if board:
            board.close()
        for split in (examples, held_out):
            if isinstance(split.features, RowsFile):
                split.features.close()
    return model, observer.history


def _examples(model: Assembled, settings: TrainerConfig, split: AnySplit, path: Path) -> Examples:
    """A split's examples, its features in memory, or in a file at `path` if they take too many bytes."""
    shape = model.core.input_shape[1:]
    if split.num_rows * int(np.prod(shape)) * 4 > settings.resident_bytes:
        features: NDArray[Any] | RowsFile = RowsFile(path, shape, model.feature_chunks(split))
    else:
        features = np.concatenate(list(model.feature_chunks(split)))
    at_once = rows_at_once(model.core, settings.batch_size)
    return Examples(features, model.head.training_target(split.target), split.weight, at_once)
