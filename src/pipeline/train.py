"""`python -m pipeline.train experiment=cnn_digits key=value`: train, save, predict the test rows; `-m`: a sweep."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.cli import terminate_as_interrupt
from pipeline.config import Config
from pipeline.errors import ConfigError
from pipeline.hydra_command import Multirun, hydra_command
from pipeline.layout import (
    CHECKPOINTS,
    HISTORY,
    IDENTITY,
    JOURNAL,
    LOCK,
    MODEL,
    OBJECTIVES,
    PREDICTIONS,
    TENSORBOARD,
    TEST,
    Layout,
)
from pipeline.tracking.sweep import SweepJob, read_jobs

if TYPE_CHECKING:
    from pipeline.data.history import EpochValues
    from pipeline.identity import Identity
    from pipeline.model.assembly import Assembled
    from pipeline.tracking.journal import Journal
    from pipeline.training.pruning import Judge

# A score that any model has: the number of its trainable weights.
PARAMETERS = "parameters"
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
    from pipeline.tracking.dataset_page import keep_page
    from pipeline.tracking.follower import followed
    from pipeline.tracking.kept_models import note_owner
    from pipeline.tracking.recording import recorded
    from pipeline.tracking.settings import without_password
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
        sweep, wait = (job.folder.name, 0.0) if job else ("", 0.0 if config.output else WAIT_SECONDS)
        if job is not None and (history := trained_before(run, job, objectives)):
            note_owner(layout, name, sweep, trained=False)
            judge_history(judge, history, len(history))
            if not job.objectives:
                print(f"{config.name}: trained before, in {output}")
            return Trained(history, scored(run, history, objectives))
        keep_page(layout, config.dataset.name, run.prepared, folder)
        note_owner(layout, name, sweep, trained=True)
        with followed(layout, name, sweep, wait), recorded(config, run.identity, layout) as journal:
            model, history = train_model(run, journal, judge=judge)
            write_output(run, model, history)
        # While the lock is held: another worker of the search may remove the model once it is free.
        scores = scored(run, history, objectives)
    if job is None or not job.objectives:  # a search tells its trials itself
        print(
            f"{config.name}: results in {output}, journal and TensorBoard in {folder}, "
            f"MLflow run {name} at {without_password(layout.tracking_uri)}"
        )
    return Trained(history, scores)


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


def trained_before(run: Run, job: SweepJob, objectives: tuple[str, ...]) -> "list[EpochValues] | None":
    """The history of a finished run of this identity whose output is there. A search, which keeps the models of its
    best trials alone, does without the model where all its objectives are known."""
    from pipeline.tracking.recording import finished_epochs

    history = finished_epochs(run.identity, run.layout)
    if not history or not (run.output / HISTORY).is_file():
        return None
    suffices = bool(job.objectives) and set(objectives) <= {*history[0], *known_scores(run)}
    return history if suffices or (run.output / MODEL).is_file() else None


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


def scored(run: Run, history: "list[EpochValues]", objectives: tuple[str, ...]) -> dict[str, float]:
    """The values of the objectives with the weights that the training has kept. They come from the history where each
    epoch measures them. The others are computed with the saved model, and kept in the run's folder, where a search
    finds them when it has removed the model."""
    from pipeline.files import write_json
    from pipeline.training.early_stopping import kept_epoch

    kept = kept_epoch([values["val_loss"] for values in history], run.config.trainer.early_stopping)
    known = known_scores(run) | history[kept]
    if missing := [name for name in objectives if name not in known]:
        from pipeline.tracking.tensorboard import write_kept

        found = measured(run, missing)
        known |= found
        finite = {name: value for name, value in found.items() if math.isfinite(value)}
        write_json(run.folder / OBJECTIVES, known_scores(run) | finite)
        write_kept(run.folder / TENSORBOARD, kept + 1, history[kept] | found)
    return {name: known[name] for name in objectives}


def known_scores(run: Run) -> dict[str, float]:
    """The scores of a run that were computed with its model, by name."""
    import json

    try:
        known: dict[str, float] = json.loads((run.folder / OBJECTIVES).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}  # they are computed again
    return known


def measured(run: Run, objectives: list[str]) -> dict[str, float]:
    """Scores that need the saved model: test metrics on the validation rows, and the number of trainable weights."""
    from pipeline.data.sampling import TrainingData
    from pipeline.serving.archive import load_served, schema_of
    from pipeline.serving.batch import metrics_of
    from pipeline.tensorflow_process import load_tensorflow, start_session

    trainer = run.config.trainer
    # where this job was trained before, nothing has set up TensorFlow yet, and the next job may have to train
    load_tensorflow(trainer.tensorflow)
    start_session(trainer.tensorflow, run.config.seed)
    served = load_served(run.output / MODEL)
    found = {PARAMETERS: float(sum(math.prod(weight.shape) for weight in served.trainable_weights))}
    if set(objectives) - set(found):
        data = TrainingData.open(run.prepared, trainer.resident_bytes, trainer.limit)
        metrics = metrics_of(served, data.validation, schema_of(run.output / MODEL))
        found |= {f"val_{name}": value for name, value in metrics.items()}
    return {name: found[name] for name in objectives}


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
    from pipeline.tracking.sweep_summary import summary

    jobs = read_jobs(layout.sweep(name))
    address = deliver_sweep(layout, name)
    print(summary(jobs))
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
