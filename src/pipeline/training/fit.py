"""From a configuration and prepared data to a trained model."""

from pathlib import Path
from typing import Any

from pipeline.config import REGRESSION, Config
from pipeline.data.prepared import Split
from pipeline.data.schema import Schema
from pipeline.model.assembly import Assembled, assemble
from pipeline.tracking.journal import Journal
from pipeline.tracking.tensorboard import TensorBoardWriter
from pipeline.training import TRAINERS, runtime
from pipeline.training.job import EpochValues, Examples, Job, class_weights
from pipeline.training.observer import Observer
from pipeline.training.progress import Progress


def fit(
    config: Config,
    schema: Schema,
    train: Split,
    validation: Split,
    journal: Journal,
    board_folder: Path,
    params: dict[str, Any],
) -> tuple[Assembled, list[EpochValues]]:
    """Assemble and train one experiment's model; return it with each epoch's values."""
    runtime.start_session(config.trainer, config.seed)
    journal.tags({"device": runtime.device()})
    model = assemble(config, schema, train)
    held_out = _examples(model, config, schema, validation)
    # what an earlier, finished run of this identity wrote for TensorBoard stands
    board = None if journal.finished else TensorBoardWriter(board_folder)
    progress = Progress(config.name, config.trainer.epochs)
    observer = Observer(model, schema, held_out, journal, progress, board, config.trainer.tensorboard)
    examples = _examples(model, config, schema, train)
    try:
        if board:
            board.hparams(params)
            board.graph(model.core)
        job = Job(model.core, model.head, examples, held_out, config.trainer, config.seed, observer.epoch)
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
