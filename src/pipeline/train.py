"""`python -m pipeline.train experiment=cnn_digits key=value`: train, save, predict the test rows."""

from pathlib import Path
from typing import Any

from pipeline.cli import hydra_command, terminate_as_interrupt
from pipeline.config import Config
from pipeline.data.schema import Schema
from pipeline.layout import CHECKPOINTS, HISTORY, IDENTITY, JOURNAL, LOCK, TEST, TRAIN, VALIDATION, Layout

WAIT_SECONDS = 3.0  # for MLflow, at the end of a run by hand


def train(config: Config) -> None:
    """Train one experiment and write its folder (model, history, predictions, identity) whole or not at all."""
    from pipeline import locks
    from pipeline.tracking.follower import Follower
    from pipeline.training.distribution import check_strategy, is_chief
    from pipeline.training.identity import identify

    terminate_as_interrupt()
    check_strategy(config.trainer)
    layout = Layout.find()
    identity = identify(config, layout, layout.prepared(config.dataset.name))
    name = str(identity["identity"])
    if not is_chief(config.trainer):
        work(config, layout, layout.run(name))
        return
    output = Path(config.output) if config.output else layout.run(name) / "output"
    # a training whose `dvc repro` was killed lives on: it must not write over its successor's output
    with locks.hold(layout.output_lock(output), f"output {output}"), locks.hold(layout.run(name) / LOCK, f"run {name}"):
        follower = Follower.start(layout, name)
        try:
            run(config, layout, identity, output)
        finally:
            # what a stage of DVC has not delivered yet, its register delivers
            if trouble := follower.stop(0.0 if config.output else WAIT_SECONDS):
                print(trouble)
    print(f"{config.name}: results in {output}, journal and TensorBoard in {layout.run(name)}")


def work(config: Config, layout: Layout, folder: Path) -> None:
    """Take part in another process's training: the same computation, nothing written."""
    import tempfile

    from pipeline.tracking.journal import Journal

    with tempfile.TemporaryDirectory() as temporary:
        train_model(config, layout, Journal(Path(temporary) / JOURNAL), folder, {})


def run(config: Config, layout: Layout, identity: dict[str, Any], output: Path) -> None:
    """The training itself, journaled from start to end however it ends."""
    from pipeline.compose import as_plain
    from pipeline.tracking import facts, journal

    folder = layout.run(str(identity["identity"]))
    log = journal.Journal(folder / JOURNAL)
    params = facts.flatten({k: v for k, v in as_plain(config).items() if k not in ("name", "output")})
    log.start(identity["identity"], config.name, params, facts.run_tags(identity, layout.root))
    ended = journal.FAILED
    try:
        produce(config, layout, identity, output, log, params)
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


def produce(
    config: Config, layout: Layout, identity: dict[str, Any], output: Path, log: Any, params: dict[str, Any]
) -> None:
    """Train and write `output`: model.keras, predictions.parquet, history.csv, identity.json."""
    from pipeline.data.prepared import open_split
    from pipeline.files import replacing_folder, write_json

    run_folder = layout.run(identity["identity"])
    model, history = train_model(config, layout, log, run_folder, params)
    from pipeline.serving.package import package
    from pipeline.training.checkpoint import Checkpoints
    from pipeline.training.history import write_history

    prepared = layout.prepared(config.dataset.name)
    test = open_split(prepared, TEST, Schema.read(prepared), config.trainer.resident_bytes)
    with replacing_folder(output) as folder:
        package(model.served, test, folder)
        write_history(folder / HISTORY, history)
        write_json(folder / IDENTITY, identity)
    Checkpoints(run_folder / CHECKPOINTS, run_folder.name).clear()


def train_model(
    config: Config, layout: Layout, log: Any, run_folder: Path, params: dict[str, Any]
) -> tuple[Any, list[dict[str, float]]]:
    """The trained model and its history, from the prepared data."""
    from pipeline.data.prepared import open_split
    from pipeline.training.runtime import load_tensorflow

    prepared = layout.prepared(config.dataset.name)
    schema = Schema.read(prepared)
    most = config.trainer.resident_bytes
    splits = [open_split(prepared, split, schema, most) for split in (TRAIN, VALIDATION)]
    load_tensorflow(config.trainer)
    from pipeline.training.fit import fit

    return fit(config, schema, splits[0], splits[1], log, run_folder, params)


def main() -> None:
    hydra_command(train, "config")


if __name__ == "__main__":
    main()
