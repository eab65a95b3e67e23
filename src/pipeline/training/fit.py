"""From a configuration and prepared data to a trained model."""

from contextlib import closing
from dataclasses import asdict
from pathlib import Path

from pipeline.config import Config
from pipeline.data.history import EpochValues
from pipeline.data.sampling import TrainingData
from pipeline.data.schema import Schema
from pipeline.layout import CHECKPOINTS, TENSORBOARD
from pipeline.model.assembly import Assembled, assemble
from pipeline.model.augmentation import build_augmentation
from pipeline.model.xla import speed_up
from pipeline.tensorflow_process import instructions_of, on_gpu, start_session
from pipeline.tracking.facts import run_params
from pipeline.tracking.journal import Journal
from pipeline.tracking.tensorboard import TensorBoardWriter
from pipeline.training import TRAINERS
from pipeline.training.board import Board
from pipeline.training.checkpoint import Checkpoints
from pipeline.training.compilation import refused_by_xla, uses_xla
from pipeline.training.distribution import build_strategy, is_chief, lost_worker
from pipeline.training.examples import make_examples
from pipeline.training.feature_cache import FeatureCache
from pipeline.training.interrupts import Interrupts
from pipeline.training.job import Job
from pipeline.training.lifecycle import Lifecycle
from pipeline.training.memory import memory_advice
from pipeline.training.observer import Observer
from pipeline.training.profile import profiled
from pipeline.training.progress import Progress
from pipeline.training.pruning import Judge
from pipeline.training.replicas import check_same_start


def fit(
    config: Config,
    data: TrainingData,
    folder: Path,
    journal: Journal,
    cache: FeatureCache | None = None,
    judge: Judge | None = None,
) -> tuple[Assembled, list[EpochValues]]:
    """Assemble one experiment's model, train it, and return it with the values of each epoch.

    The training goes on from the last checkpoint in the run's `folder`, if there is one. Of several workers only the
    chief writes. Without a `cache`, features are not kept. Raises GivenUp where the `judge` gives the training up.
    """
    settings, trainer = config.trainer, TRAINERS[config.trainer.name]
    device = start_session(settings.tensorflow, config.seed)
    strategy, writes = build_strategy(settings.strategy), is_chief(settings)
    checkpoints = Checkpoints(folder / CHECKPOINTS, folder.name, writes)
    done = checkpoints.start.epoch if checkpoints.start else 0
    with lost_worker(settings.strategy):
        check_same_start(settings.strategy, strategy, folder.name, done)
    if done:
        print(f"{config.name}: going on after epoch {done}, from {folder / CHECKPOINTS}")

    with strategy.scope():
        model = assemble(config, data.schema, data.train)
        augment = build_augmentation(settings.augmentation, model.features, data.schema)
    with memory_advice(settings.batch_size):
        train, validation = make_examples(model, data, settings, cache)
    xla = uses_xla(settings, trainer.takes_xla, model.core, train.num_rows)
    job = Job(model.core, augment, model.head, train, validation, settings, config.seed, xla, strategy)
    journal.tags(computation_tags(job, device))

    observer = _observer(config, job, data.schema, folder, journal, checkpoints)
    with (
        closing(validation),
        closing(train),
        closing(observer),
        Interrupts() as interrupts,
        memory_advice(settings.batch_size),
        lost_worker(settings.strategy),
    ):
        if observer.board is not None and not done:
            observer.board.describe(run_params(asdict(config)))
        # This comes after the board is made, because the board's graph is of Keras' own layers.
        if xla:
            speed_up(model.core, on_gpu())
        lifecycle = Lifecycle(job, config.checkpoint, observer, checkpoints, interrupts, judge)
        with strategy.scope(), refused_by_xla(xla), profiled(settings.profile and writes, folder / TENSORBOARD):
            trainer.train(job, lifecycle)
    return model, observer.history


def _observer(
    config: Config, job: Job, schema: Schema, folder: Path, journal: Journal, checkpoints: Checkpoints
) -> Observer:
    """What watches the training from its first epoch, or from the one after its last checkpoint."""
    start, writes = checkpoints.start, is_chief(config.trainer)
    done = start.epoch if start else 0
    board = None
    # Where an earlier run of this identity has finished, what it wrote for TensorBoard stays as it is.
    if writes and not journal.finished:
        board = Board(TensorBoardWriter(folder / TENSORBOARD, done), job, schema)
    history = start.values["history"] if start else []
    return Observer(history, journal, Progress(config.name, config.trainer.epochs, done, writes), board)


def computation_tags(job: Job, device: str) -> dict[str, str]:
    """The tags of the run that say with which device, precision and so on a training computes."""
    config = job.config
    return {
        "precision": config.precision,
        "instruction_set": instructions_of(config.tensorflow),
        "strategy": config.strategy,
        "device": device,
        "replicas": str(job.strategy.num_replicas_in_sync),
        "xla": "on" if job.xla else "off",
    }
