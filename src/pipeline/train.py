"""`python -m pipeline.train experiment=cnn_digits key=value`: train, save, predict the test rows; `-m`: a sweep."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.cli import Multirun, hydra_command, terminate_as_interrupt
from pipeline.config import Config
from pipeline.errors import ConfigError
from pipeline.layout import CHECKPOINTS, HISTORY, IDENTITY, JOURNAL, LOCK, MODEL, PREDICTIONS, TEST, Layout
from pipeline.tracking.sweep import SweepJob, read_jobs, table

if TYPE_CHECKING:
    from pipeline.data.history import EpochValues
    from pipeline.identity import Identity
    from pipeline.model.assembly import Assembled
    from pipeline.tracking.journal import Journal

# How long a run by hand waits for MLflow at its end. A stage of DVC does not wait: `register` delivers what is left.
WAIT_SECONDS = 3.0


@dataclass(frozen=True)
class Run:
    """One training. `prepared` is the folder of its splits, `folder` its own folder in runs/ with its journal and
    checkpoints, and `output` the folder that gets the model and its predictions."""

    config: Config
    layout: Layout
    prepared: Path
    identity: "Identity"
    folder: Path
    output: Path


def train(config: Config, job: SweepJob | None = None) -> float:
    """Train one experiment and write its output folder (model, history, predictions, identity) whole or not at all.

    `job` is the record of a sweep's job, if this training is one. Returns the score: the value of `config.objective`
    in the epoch whose weights are kept.
    """
    from pipeline import locks
    from pipeline.tracking.dataset_page import keep_page
    from pipeline.tracking.follower import followed
    from pipeline.tracking.recording import recorded
    from pipeline.tracking.settings import without_password
    from pipeline.training.distribution import check_strategy, is_chief

    terminate_as_interrupt()
    check_strategy(config.trainer)
    run = identified(config, Layout.find())
    layout, name, folder, output = run.layout, run.folder.name, run.folder, run.output
    if not is_chief(config.trainer):
        # Nobody reads what this process returns, and only the chief has an output to score.
        return train_as_worker(run)[-1]["val_loss"]
    if job is not None:
        job.experiment, job.identity, job.objective = config.name, name, config.objective
        job.save()
    # A training outlives its `dvc repro` when that is killed, and must not write over its successor's output.
    with locks.hold(layout.output_lock(output), f"output {output}"), locks.hold(folder / LOCK, f"run {name}"):
        if job is not None and (history := trained_before(run)):
            print(f"{config.name}: trained before, in {output}")
            return score(run, history)
        keep_page(layout, config.dataset.name, run.prepared, folder)
        sweep, wait = (job.folder.name, 0.0) if job else ("", 0.0 if config.output else WAIT_SECONDS)
        with followed(layout, name, sweep, wait), recorded(config, run.identity, layout) as journal:
            model, history = train_model(run, journal, chief=True)
            write_output(run, model, history)
    print(
        f"{config.name}: results in {output}, journal and TensorBoard in {folder}, "
        f"MLflow run {name} at {without_password(layout.tracking_uri)}"
    )
    return score(run, history)


def identified(config: Config, layout: Layout) -> Run:
    """Find what is to be trained: its data (prepared if they are missing), its identity, and where it writes."""
    from pipeline.data.folders import prepared_folder
    from pipeline.identity import identify

    prepared = prepared_folder(config, layout)
    identity = identify(config, layout, prepared)
    folder = layout.run(identity["identity"])
    return Run(config, layout, prepared, identity, folder, Path(config.output) if config.output else folder / "output")


def train_as_worker(run: Run) -> "list[EpochValues]":
    """Train as one of several workers of which another is the chief: compute the same, but write nothing."""
    import tempfile

    from pipeline.tracking.journal import Journal

    with tempfile.TemporaryDirectory() as temporary:
        return train_model(run, Journal(Path(temporary) / JOURNAL), chief=False)[1]


def trained_before(run: Run) -> "list[EpochValues] | None":
    """The history of a finished run of this identity whose output is there."""
    from pipeline.tracking.recording import finished_epochs

    return finished_epochs(run.identity, run.layout) if (run.output / MODEL).is_file() else None


def train_model(run: Run, journal: "Journal", chief: bool) -> "tuple[Assembled, list[EpochValues]]":
    """The trained model and its history, from the prepared data."""
    from pipeline.data.prepared import TrainingData
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
    return fit(run.config, data, run.folder, journal, FeatureCache(start, run.config.cache.features_bytes))


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


def score(run: Run, history: "list[EpochValues]") -> float:
    """The value of the objective with the weights that the training has kept. It comes from the history where each
    epoch measures it; any other metric is computed from the saved model's answers to the validation rows."""
    from pipeline.training.early_stopping import kept_epoch

    config = run.config
    kept = kept_epoch([values["val_loss"] for values in history], config.trainer.early_stopping)
    if config.objective in history[kept]:
        return history[kept][config.objective]
    from pipeline.data.prepared import TrainingData
    from pipeline.serving.archive import load_served, schema_of
    from pipeline.serving.batch import metrics_of
    from pipeline.tensorflow_process import load_tensorflow, start_session

    # where this job was trained before, nothing has set up TensorFlow yet, and the next job may have to train
    load_tensorflow(config.trainer.tensorflow)
    start_session(config.trainer.tensorflow, config.seed)
    data = TrainingData.open(run.prepared, config.trainer.resident_bytes, config.trainer.limit)
    model = run.output / MODEL
    metrics = metrics_of(load_served(model), data.validation, schema_of(model))
    return metrics[config.objective.removeprefix("val_")]


def train_job(compose: Callable[[], Config], job: SweepJob) -> float:
    """Run one job of a sweep, and return the score that Hydra's sweeper gets for it."""

    def work(job: SweepJob) -> float:
        config = compose()
        if config.output:
            raise ConfigError(f"output: found '{config.output}', expected none in a sweep, whose jobs are kept apart.")
        return train(config, job)

    return job.run(work)


def end_sweep(layout: Layout, name: str) -> None:
    """Bring the sweep to MLflow and print its table, best job first. Raises ConfigError where a job has failed."""
    jobs = read_jobs(layout.sweep(name))
    address = deliver_sweep(layout, name)
    print(table(jobs))
    print(f"sweep {name}: records in {layout.sweep(name)}, MLflow run sweep-{name} at {address}")
    if failed := [job for job in jobs if job.error]:
        raise ConfigError(f"{len(failed)} of {len(jobs)} jobs failed, first {failed[0].number}: {failed[0].error}")


def deliver_sweep(layout: Layout, name: str) -> str:
    """Bring the sweep to MLflow, or print why that does not answer, and return the store's address."""
    from pipeline.errors import TrackingError
    from pipeline.tracking.settings import FOR_A_PERSON, set_defaults

    set_defaults(FOR_A_PERSON)
    from pipeline.tracking.store import Store
    from pipeline.tracking.sweep_sync import sync_sweep

    store = Store(layout)
    try:
        sync_sweep(store, name)
    except TrackingError as error:
        print(error)
    return store.shown_uri


def main() -> None:
    hydra_command(train, "config", Multirun(train_job, end_sweep))


if __name__ == "__main__":
    main()
