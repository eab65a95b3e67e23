"""`python -m pipeline.train experiment=cnn_digits key=value`: train, save, predict the test rows; `-m`: a sweep."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.cli import terminate_as_interrupt
from pipeline.config import Config
from pipeline.errors import ConfigError
from pipeline.hydra_command import Multirun, hydra_command
from pipeline.layout import CHECKPOINTS, HISTORY, IDENTITY, JOURNAL, LOCK, MODEL, PREDICTIONS, TEST, Layout
from pipeline.objectives import scored, trained_before
from pipeline.run import Run, identified
from pipeline.tracking.settings import without_password
from pipeline.tracking.sweep_end import end_sweep
from pipeline.tracking.sweep_job import SweepJob

if TYPE_CHECKING:
    from pipeline.data.history import EpochValues
    from pipeline.model.assembly import Assembled
    from pipeline.tracking.journal import Journal
    from pipeline.training.pruning import Judge

# How long a run by hand waits for MLflow at its end. A stage of DVC does not wait: `register` delivers what is left.
WAIT_SECONDS = 3.0


def train(config: Config, job: SweepJob | None = None) -> float:
    """Train one experiment and write its output folder (model, history, predictions, identity) whole or not at all.

    `job` is the record of a sweep's job, if this training is one. Returns the score: the value of `config.objective`
    in the epoch whose weights are kept.
    """
    done = trained(config, (config.objective,), job)
    # Nobody reads what a worker returns that is not the chief; only the chief has an output to score.
    return done.scores[config.objective] if done.scores else done.history[-1]["val_loss"]


@dataclass(frozen=True)
class Trained:
    """A training that has come to its end: the values of each epoch, and the scores that were asked for, which only the
    chief of several workers knows."""

    history: "list[EpochValues]"
    scores: dict[str, float]


def trained(
    config: Config, objectives: tuple[str, ...], job: SweepJob | None = None, judge: "Judge | None" = None
) -> Trained:
    """Train one experiment as `train` does, or find it trained by an earlier job, and return its scores `objectives`.

    Raises GivenUp where the `judge` gives the training up; its checkpoint stays, so that the same training by hand goes
    on from there to its end.
    """
    from pipeline import locks
    from pipeline.tracking.kept_models import note_owner
    from pipeline.training.distribution import check_strategy, is_chief
    from pipeline.training.pruning import judge_history

    terminate_as_interrupt()
    check_strategy(config.trainer)
    run = identified(config, Layout.find())
    layout, name, folder, output = run.layout, run.folder.name, run.folder, run.output
    if not is_chief(config.trainer):
        return Trained(train_as_worker(run), {})
    if job is not None:
        job.experiment, job.identity, job.objective = config.name, name, job.objective or config.objective
        job.save()
    # A training outlives its `dvc repro` when that is killed, and must not write over its successor's output.
    with locks.hold(layout.output_lock(output), f"output {output}"), locks.hold(folder / LOCK, f"run {name}"):
        found = trained_before(run, job, objectives) if job else None
        note_owner(layout, name, job.folder.name if job else "", trained=not found)
        if found:
            judge_history(judge, found, len(found))
        history = found or train_and_follow(run, job, judge)
        # While the lock is held: another worker of the search may remove the model once it is free.
        scores = scored(run, history, objectives)
    if job is None or not job.objectives:  # a search tells its trials itself
        print(f"{config.name}: trained before, in {output}" if found else where_it_is(run))
    return Trained(history, scores)


def where_it_is(run: Run) -> str:
    """What a finished training says of where its results are."""
    return (
        f"{run.config.name}: results in {run.output}, journal and TensorBoard in {run.folder}, "
        f"MLflow run {run.folder.name} at {without_password(run.layout.tracking_uri)}"
    )


def train_and_follow(run: Run, job: SweepJob | None, judge: "Judge | None") -> "list[EpochValues]":
    """Train, write the output, and let MLflow follow meanwhile. Returns the values of each epoch."""
    from pipeline.tracking.dataset_page import keep_page
    from pipeline.tracking.follower import followed
    from pipeline.tracking.recording import recorded

    keep_page(run.layout, run.config.dataset.name, run.prepared, run.folder)
    sweep, wait = (job.folder.name, 0.0) if job else ("", 0.0 if run.config.output else WAIT_SECONDS)
    with (
        followed(run.layout, run.folder.name, sweep, wait),
        recorded(run.config, run.identity, run.layout) as journal,
    ):
        model, history = train_model(run, journal, judge=judge)
        write_output(run, model, history)
    return history


def train_as_worker(run: Run) -> "list[EpochValues]":
    """Train as one of several workers of which another is the chief: compute the same, but write nothing."""
    import tempfile

    from pipeline.tracking.journal import Journal

    with tempfile.TemporaryDirectory() as temporary:
        return train_model(run, Journal(Path(temporary) / JOURNAL), chief=False)[1]


def train_model(
    run: Run, journal: "Journal", chief: bool = True, judge: "Judge | None" = None
) -> "tuple[Assembled, list[EpochValues]]":
    """The trained model and its history, from the prepared data."""
    from pipeline.data.sampling import TrainingData
    from pipeline.identity import features_key
    from pipeline.tensorflow_process import load_tensorflow

    trainer = run.config.trainer
    data = TrainingData.open(run.prepared, trainer.resident_bytes, trainer.limit)
    load_tensorflow(trainer.tensorflow)
    # These modules import TensorFlow, which by now is loaded with the settings of this training.
    from pipeline.tracking.hparams import write_columns
    from pipeline.training.feature_cache import FeatureCache
    from pipeline.training.fit import fit

    if chief:
        write_columns(run.layout, run.folder.name)
    start = run.layout.features(features_key(run.config, run.identity))
    return fit(run.config, data, run.folder, journal, FeatureCache(start, run.config.cache.features_bytes), judge)


def write_output(run: Run, model: "Assembled", history: "list[EpochValues]") -> None:
    """Write model.keras, predictions.parquet, history.csv and identity.json, and remove the checkpoints, which only an
    unfinished training needs."""
    from pipeline.data.history import write_history
    from pipeline.data.prepared import open_split
    from pipeline.files import replacing_folder, write_json
    from pipeline.serving.archive import load_served, save_canonical
    from pipeline.serving.batch import write_split_predictions
    from pipeline.training.checkpoint import Checkpoints

    test = open_split(run.prepared, TEST, model.schema, run.config.trainer.resident_bytes)
    with replacing_folder(run.output) as folder:
        save_canonical(model.served, model.schema, folder / MODEL)
        # The predictions come from the model as it is loaded again from that very file.
        write_split_predictions(folder / PREDICTIONS, load_served(folder / MODEL), model.schema, test)
        write_history(folder / HISTORY, history)
        write_json(folder / IDENTITY, run.identity)
    Checkpoints(run.folder / CHECKPOINTS, run.folder.name).clear()


def train_job(compose: Callable[[], Config], job: SweepJob) -> float:
    """Run one job of a sweep, and return the score that Hydra's sweeper gets for it."""

    def work(job: SweepJob) -> float:
        config = compose()
        if config.output:
            raise ConfigError(f"output: found '{config.output}', expected none in a sweep, whose jobs are kept apart.")
        return train(config, job)

    return job.run(work)


def main() -> None:
    hydra_command(train, "config", Multirun(train_job, end_sweep))


if __name__ == "__main__":
    main()
