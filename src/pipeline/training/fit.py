"""From a configuration and prepared data to a trained model."""

from pathlib import Path
from typing import Any

from pipeline.config import REGRESSION, Config
from pipeline.data.prepared import Split
from pipeline.data.schema import Schema
from pipeline.layout import CHECKPOINTS, TENSORBOARD
from pipeline.model.assembly import Assembled, assemble
from pipeline.model.augmentation import build_augmentation
from pipeline.tracking.journal import Journal
from pipeline.tracking.tensorboard import TensorBoardWriter
from pipeline.training import TRAINERS, runtime
from pipeline.training.checkpoint import Checkpoints
from pipeline.training.interrupts import Interrupts
from pipeline.training.job import EpochValues, Examples, Job, class_weights
from pipeline.training.lifecycle import Lifecycle
from pipeline.training.observer import Observer
from pipeline.training.progress import Progress
from pipeline.training.xla import uses_xla


def fit(
    config: Config,
    schema: Schema,
    train: Split,
    validation: Split,
    journal: Journal,
    folder: Path,
    params: dict[str, Any],
) -> tuple[Assembled, list[EpochValues]]:
    """Assemble one experiment's model and train it, from the last checkpoint in the run's `folder` if there is one;
    return it with each epoch's values."""
    device = runtime.start_session(config.trainer, config.seed)
    steps = config.trainer.epochs * -(-train.num_rows // config.trainer.batch_size)
    xla = uses_xla(config.trainer, config.model.family, steps)
    journal.tags({"device": device, "precision": config.trainer.precision, "xla": "on" if xla else "off"})
    checkpoints = Checkpoints(folder / CHECKPOINTS, folder.name)
    saved = checkpoints.latest()
    done = saved.epoch if saved else 0
    if saved:
        print(f"{config.name}: going on after epoch {done}, from {folder / CHECKPOINTS}")
    model = assemble(config, schema, train)
    examples, held_out = (_examples(model, config, schema, split) for split in (train, validation))
    # what an earlier, finished run of this identity wrote for TensorBoard stands
    board = None if journal.finished else TensorBoardWriter(folder / TENSORBOARD, done)
    progress = Progress(config.name, config.trainer.epochs, done)
    history: list[EpochValues] = saved.values["history"] if saved else []
    observer = Observer(model, schema, held_out, journal, progress, board, config.trainer.tensorboard, history)
    try:
        with Interrupts() as interrupts:
            if board and not done:
                board.hparams(params)
                board.graph(model.core)
            life = Lifecycle(model.core, config.trainer, config.checkpoint, observer, checkpoints, saved, interrupts)
            augment = build_augmentation(config.trainer.augmentation, examples.features.shape[1:])
            job = Job(model.core, augment, model.head, examples, held_out, config.trainer, config.seed, xla, life)
            with runtime.memory_advice(config.trainer.batch_size):
                TRAINERS[config.trainer.name](job)
    finally:
        progress.close()
        if board:
            board.close()
    return model, observer.history


def _examples(model: Assembled, config: Config, schema: Schema, split: Split) -> Examples:
    balanced = config.trainer.class_weight == "balanced" and schema.task != REGRESSION
    weight = class_weights(split.target, len(schema.classes)) if balanced else None
    return Examples(model.features(split), model.head.training_target(split.target), weight)
