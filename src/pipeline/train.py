"""`python -m pipeline.train experiment=cnn_digits key=value`: train, save, predict the test rows; `-m`: a sweep."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.cli import Multirun, hydra_command, terminate_as_interrupt
from pipeline.config import Config, PrepareConfig
from pipeline.data.schema import Schema
from pipeline.errors import ConfigError
from pipeline.layout import CHECKPOINTS, HISTORY, IDENTITY, JOURNAL, LOCK, MODEL, TEST, TRAIN, VALIDATION, Layout
from pipeline.tracking.sweep import SweepJob, read_jobs, table

WAIT_SECONDS = 3.0  # for MLflow, at the end of a run by hand; what a stage of DVC leaves, its register delivers

History = list[dict[str, float]]


@dataclass(frozen=True)
class Training:
    """One training: its configuration, the folder of its splits, its identity.json, its own folder, its output."""

    config: Config
    layout: Layout
    prepared: Path
    identity: dict[str, Any]
    folder: Path
    output: Path


def train(config: Config, job: SweepJob | None = None) -> float:
    """Train one experiment and write its folder (model, history, predictions, identity) whole or not at all.

    Returns its score: `config.objective` of the epoch whose weights are kept. A stage of DVC names its output, and
    trains on the data that DVC prepared, if that is what this configuration asks for; a run by hand, and a sweep's job,
    touch neither.
    """
    from pipeline.data.preparing import is_dvcs, prepared_for
    from pipeline.training.distribution import check_strategy, is_chief
    from pipeline.training.identity import identify

    terminate_as_interrupt()
    check_strategy(config.trainer)
    layout = Layout.find()
    wanted = PrepareConfig(config.split, config.dataset)
    by_dvc = config.output is not None and is_dvcs(wanted, layout)
    prepared = layout.prepared(config.dataset.name) if by_dvc else prepared_for(wanted, layout)
    identity = identify(config, layout, prepared)
    folder = layout.run(str(identity["identity"]))
    output = Path(config.output) if config.output else folder / "output"
    training = Training(config, layout, prepared, identity, folder, output)
    if not is_chief(config.trainer):
        return score(config, take_part(training))
    if job is not None:
        job.experiment, job.identity, job.objective = config.name, folder.name, config.objective
        job.save()
    return score(config, lead(training, job))


def score(config: Config, history: History) -> float:
    """The objective's value in the epoch whose weights the training ended with."""
    from pipeline.training.early_stopping import kept_epoch

    kept = kept_epoch([values["val_loss"] for values in history], config.trainer.early_stopping)
    return history[kept][config.objective]


def take_part(training: Training) -> History:
    """Another process leads this training: the same computation, nothing written."""
    import tempfile

    from pipeline.tracking.journal import Journal

    with tempfile.TemporaryDirectory() as temporary:
        return train_model(training, Journal(Path(temporary) / JOURNAL), {})[1]


def lead(training: Training, job: SweepJob | None) -> History:
    """Train under the locks of run and output, followed by what brings the journal to MLflow."""
    from pipeline import locks
    from pipeline.tracking.follower import followed
    from pipeline.tracking.settings import without_password

    config, layout, folder, output = training.config, training.layout, training.folder, training.output
    # a training whose `dvc repro` was killed lives on: it must not write over its successor's output
    with locks.hold(layout.output_lock(output), f"output {output}"), locks.hold(folder / LOCK, f"run {folder.name}"):
        if job is not None and (history := trained_before(training)):
            print(f"{config.name}: trained before, in {output}")
            return history
        sweep, wait = (job.folder.name, 0.0) if job else ("", 0.0 if config.output else WAIT_SECONDS)
        with followed(layout, folder.name, sweep, wait):
            history = run(training)
    print(
        f"{config.name}: results in {output}, journal and TensorBoard in {folder}, "
        f"MLflow run {folder.name} at {without_password(layout.tracking_uri)}"
    )
    return history


def trained_before(training: Training) -> History | None:
    """The history of a finished run of this identity whose output is there."""
    from pipeline.tracking import journal

    records = journal.read(training.folder / JOURNAL)
    if journal.status(records) != journal.FINISHED or not (training.output / MODEL).is_file():
        return None
    return [record["values"] for record in records if record["type"] == "metrics"]


def run(training: Training) -> History:
    """The training itself, journaled from start to end however it ends."""
    from pipeline.compose import as_plain
    from pipeline.tracking import facts, journal

    config, identity = training.config, training.identity
    log = journal.Journal(training.folder / JOURNAL)
    params = facts.flatten({k: v for k, v in as_plain(config).items() if k not in ("name", "output")})
    log.start(identity["identity"], config.name, params, facts.run_tags(identity, training.layout.root))
    ended = journal.FAILED
    try:
        history = produce(training, log, params)
        ended = journal.FINISHED
    except KeyboardInterrupt:
        ended = journal.KILLED
        raise
    finally:
        log.end(ended)
    if log.differing:
        print(
            f"{config.name}: epoch {log.differing[0]} has other values than in an earlier run of the same identity. "
            "The bits were not reproduced; see docs/reproducibility.md."
        )
    return history


def produce(training: Training, log: Any, params: dict[str, Any]) -> History:
    """Train and write the output: model.keras, predictions.parquet, history.csv, identity.json."""
    from pipeline.data.prepared import open_split
    from pipeline.files import replacing_folder, write_json

    model, history = train_model(training, log, params)
    from pipeline.data.history import write_history
    from pipeline.serving.package import package
    from pipeline.training.checkpoint import Checkpoints

    prepared = training.prepared
    test = open_split(prepared, TEST, Schema.read(prepared), training.config.trainer.resident_bytes)
    with replacing_folder(training.output) as folder:
        package(model.served, test, folder)
        write_history(folder / HISTORY, history)
        write_json(folder / IDENTITY, training.identity)
    Checkpoints(training.folder / CHECKPOINTS, training.folder.name).clear()
    return history


def train_model(training: Training, log: Any, params: dict[str, Any]) -> tuple[Any, History]:
    """The trained model and its history, from the prepared data."""
    from pipeline.data.prepared import limited, open_split
    from pipeline.tensorflow_process import load_tensorflow

    config = training.config
    schema = Schema.read(training.prepared)
    most, limit = config.trainer.resident_bytes, config.trainer.limit
    splits = [limited(open_split(training.prepared, split, schema, most), limit) for split in (TRAIN, VALIDATION)]
    load_tensorflow(config.trainer.tensorflow)
    from pipeline.tracking.hparams import write_columns
    from pipeline.training.distribution import is_chief
    from pipeline.training.fit import fit

    if is_chief(config.trainer):
        # TensorBoard's module imports TensorFlow, which by now is here as this training needs it
        write_columns(training.layout, training.folder.name)

    return fit(config, schema, splits[0], splits[1], log, training.folder, params)


def train_job(compose: Callable[[], Config], job: SweepJob) -> float:
    """One job of a sweep; its score is what Hydra's sweeper gets for it."""

    def work(job: SweepJob) -> float:
        config = compose()
        if config.output:
            raise ConfigError(f"output: found '{config.output}', expected none in a sweep, whose jobs are kept apart.")
        return train(config, job)

    return job.run(work)


def end_sweep(layout: Layout, name: str) -> None:
    """Bring the sweep to MLflow and print its table, best job first. Raises ConfigError where a job has failed."""
    from pipeline.errors import TrackingError
    from pipeline.tracking.settings import FOR_A_PERSON, set_defaults

    set_defaults(FOR_A_PERSON)
    from pipeline.tracking.store import Store
    from pipeline.tracking.sweep_sync import sync_sweep

    jobs = read_jobs(layout.sweep(name))
    store = Store(layout)
    try:
        sync_sweep(store, name)
    except TrackingError as error:
        print(error)
    print(table(jobs))
    print(f"sweep {name}: records in {layout.sweep(name)}, MLflow run sweep-{name} at {store.shown_uri}")
    if failed := [job for job in jobs if job.error]:
        raise ConfigError(f"{len(failed)} of {len(jobs)} jobs failed, first {failed[0].number}: {failed[0].error}")


def main() -> None:
    hydra_command(train, "config", Multirun(train_job, end_sweep))


if __name__ == "__main__":
    main()
