"""kill -9 at random moments, Ctrl-C and SIGTERM: the same command goes on and ends in the same bits.

PIPELINE_KILL=all kills every family, under both trainers by turns, else one of these trainings; the seed is printed.
"""

import os
import random
import re
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.layout import Layout
from pipeline.tracking.journal import read
from pipeline.tracking.store import Store
from pipeline.tracking.sync import sync
from tests.conftest import Run, Start

KILLS = 3  # of each training, one after another
# pytest-xdist's processes must collect the same tests
RUN = random.Random(os.environ.get("PYTEST_XDIST_TESTRUNUID"))
SEED = int(os.environ.get("PIPELINE_KILL_SEED", RUN.randrange(10**6)))
EPOCHS = {"linear_diabetes": 300, "logistic_digits": 40, "cnn_digits": 8, "rnn_digits": 8}
OUTPUTS = ("model.keras", "history.csv", "predictions.parquet", "identity.json")
# Each family under one trainer, by the seed; each pair is resumed in-process by tests/contracts/test_resume.py.
TRAINERS = ("compiled", "keras") if SEED % 2 else ("keras", "compiled")
COMBINATIONS = [(experiment, TRAINERS[i % 2]) for i, experiment in enumerate(EPOCHS)]
TRIED = COMBINATIONS if os.environ.get("PIPELINE_KILL") == "all" else [COMBINATIONS[SEED // 2 % len(COMBINATIONS)]]


def arguments(experiment: str, trainer: str) -> list[str]:
    small = ["model.units=[16]", "model.bidirectional=false"] if experiment.startswith("rnn") else []
    epochs = f"trainer.epochs={EPOCHS[experiment]}"
    return [f"experiment={experiment}", f"trainer={trainer}", epochs, "checkpoint.every_epochs=1", *small]


def once(checkout: Path, process: "subprocess.Popen[str]", epochs: int) -> Path:
    """Wait until so many epochs are journaled; return the journal."""
    deadline = time.monotonic() + 300
    while process.poll() is None:
        assert time.monotonic() < deadline, f"no epoch {epochs}"
        journal = next(iter(checkout.glob("runs/*/journal.jsonl")), None)
        if journal and journal.read_text().count('"type": "metrics"') >= epochs:
            return journal
        time.sleep(0.005)
    raise AssertionError(f"it ended before epoch {epochs}: {process.communicate()}")


def points(checkout: Path, name: str) -> dict[str, list[int]]:
    """By metric, the steps of the one MLflow run that this identity has."""
    store = Store(Layout(checkout))
    run_id = sync(store, checkout / "runs" / name)
    place = store.client.get_experiment_by_name(name.rpartition("-")[0])
    runs = store.client.search_runs([place.experiment_id], f"tags.`pipeline.identity` = '{name}'")
    assert [run.info.run_id for run in runs] == [run_id]
    assert runs[0].info.status == "FINISHED"
    metrics = runs[0].data.metrics
    return {metric: [p.step for p in store.client.get_metric_history(run_id, metric)] for metric in metrics}


@pytest.mark.slow
@pytest.mark.parametrize(("experiment", "trainer"), TRIED, ids=map("-".join, TRIED))
def test_killed_anywhere_ends_in_the_same_bits(
    experiment: str,
    trainer: str,
    checkout: Path,
    pipeline: Run,
    start_pipeline: Start,
    prepare: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    dataset = "diabetes" if experiment == "linear_diabetes" else "digits"
    prepare(dataset)
    options = arguments(experiment, trainer)
    killed_after = random.Random(f"{SEED} {experiment} {trainer}")
    started = time.monotonic()
    process = start_pipeline("train", *options, "output=whole")
    once(checkout, process, 1)
    first_epoch = time.monotonic() - started
    _, errors = process.communicate()
    assert process.returncode == 0, errors
    an_epoch = (time.monotonic() - started - first_epoch) / EPOCHS[experiment]
    (whole_run,) = (path.parent for path in checkout.glob("runs/*/journal.jsonl"))
    whole_run.rename(checkout / "whole_run")
    # after so many epochs, 0 for before the first; with the last one the output is written
    after = sorted(killed_after.sample(range(EPOCHS[experiment] + 1), KILLS))
    told = f"PIPELINE_KILL_SEED={SEED}: killed after {after} of {EPOCHS[experiment]} epochs"
    for epochs in after:
        process = start_pipeline("train", *options, "output=killed")
        if epochs:
            once(checkout, process, epochs)
        time.sleep(killed_after.random() * (an_epoch if epochs else first_epoch))
        process.kill()
        process.communicate()
    written = (checkout / "killed").exists()
    done = pipeline("train", *options, "output=killed")
    assert done.returncode == 0, told + done.stderr
    if not written:  # nothing but the epoch that the last kill met is trained again
        (done_before,) = re.findall("going on after epoch ([0-9]+)", done.stdout)
        assert int(done_before) >= after[-1] - 1, told
    for name in OUTPUTS:
        assert (checkout / "whole" / name).read_bytes() == (checkout / "killed" / name).read_bytes(), f"{told}: {name}"
    assert "not reproduced" not in done.stdout, told
    assert not list(whole_run.glob("checkpoints/*")), told
    expected = list(range(1, EPOCHS[experiment] + 1))
    found = points(checkout, whole_run.name)
    assert {"loss", "val_loss", "learning_rate"} <= set(found)
    assert all(steps == expected for steps in found.values()), told


@pytest.mark.slow
def test_interrupted_training_saves_and_goes_on(
    checkout: Path, pipeline: Run, start_pipeline: Start, prepare: Callable[[str], None]
) -> None:
    """SIGTERM (preemption), then Ctrl-C."""
    prepare("diabetes")
    options = ["experiment=linear_diabetes", "trainer.epochs=2000", "output=out"]
    done_epochs = 0
    for number in (signal.SIGTERM, signal.SIGINT):
        process = start_pipeline("train", *options)
        journal = once(checkout, process, done_epochs + 20)
        process.send_signal(number)
        printed, errors = process.communicate(timeout=60)
        assert process.returncode == 130, errors
        assert ("linear_diabetes: going on after epoch" in printed) == (done_epochs > 0)
        assert "stopping after this epoch, which is saved (once more: at once)" in errors
        assert errors.strip().splitlines()[-1] == "interrupted"
        assert not (checkout / "out").exists()
        saved = max(path.name for path in (journal.parent / "checkpoints").iterdir())
        assert int(re.findall(r"epoch-(\d+)", saved)[0]) >= done_epochs + 20
        done_epochs = int(re.findall(r"epoch-(\d+)", saved)[0])
    # how often it is saved is no part of what a run is
    done = pipeline("train", *options, "checkpoint.every_epochs=1000")
    assert f"linear_diabetes: going on after epoch {done_epochs}, from " in done.stdout
    epochs = [record["epoch"] for record in read(journal) if record["type"] == "metrics"]
    assert epochs == list(range(1, 2001))
    again = pipeline("train", *options[:-1], "output=again")
    assert "going on" not in again.stdout, "a finished training leaves nothing to go on from"
    for file in OUTPUTS:
        assert (checkout / "out" / file).read_bytes() == (checkout / "again" / file).read_bytes()


@pytest.mark.slow
def test_evaluate_and_register_killed_anywhere(
    checkout: Path, tmp_path: Path, pipeline: Run, start_pipeline: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    (checkout / "params.yaml").write_text(
        "seed: 1\nsplit: {seed: 1, test: 0.2, validation: 0.1}\ndatasets: [diabetes]\n"
        "experiments: {linear_diabetes: diabetes}\npromotion: {minima: {linear_diabetes: {r2: -1.0}}}\n"
    )
    experiment = "experiment=linear_diabetes"
    trained = ("train", experiment, "trainer.epochs=3", "output=build/train/linear_diabetes")
    for command in (("configure",), ("prepare", "dataset=diabetes"), trained):
        assert pipeline(*command).returncode == 0
    random_moment = random.Random(SEED)
    folder = checkout / "build" / "evaluate" / "linear_diabetes"

    def content() -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    def whole_duration(command: str, *options: str) -> float:
        before = time.monotonic()
        process = start_pipeline(command, *options)
        _, errors = process.communicate()
        assert process.returncode == 0, errors
        return time.monotonic() - before

    def killed(times: int, duration: float, command: str, *options: str, check: Callable[[], None]) -> None:
        """Start the command until it was killed so many times, not ended before: on a busy machine it took longer."""
        while times:
            process = start_pipeline(command, *options)
            # most of it are imports
            time.sleep(random_moment.uniform(0.4, 1.0) * duration)
            if process.poll() is None:
                times -= 1
            else:
                duration *= 0.8
            process.kill()
            process.communicate()
            check()

    whole_duration("evaluate", experiment)  # the first compiles to byte code
    duration = whole_duration("evaluate", experiment)
    whole = content()

    def all_or_nothing() -> None:
        assert not folder.exists() or content() == whole, "half-written"

    killed(2, duration, "evaluate", experiment, check=all_or_nothing)
    assert pipeline("evaluate", experiment).returncode == 0
    assert content() == whole
    assert [path.name for path in folder.parent.iterdir() if not path.name.endswith(".partial")] == [folder.name]

    # in a store of its own, for how long it takes
    elsewhere = {"MLFLOW_TRACKING_URI": f"sqlite:///{tmp_path / 'elsewhere.db'}"}
    before = time.monotonic()
    assert start_pipeline("register", **elsewhere).wait() == 0
    duration = time.monotonic() - before
    killed(3, duration, "register", check=lambda: None)
    for _ in range(2):
        done = pipeline("register")
        assert done.returncode == 0, f"PIPELINE_KILL_SEED={SEED}: {done.stderr}"
    client = Store(Layout(checkout)).client
    place = client.get_experiment_by_name("linear_diabetes").experiment_id
    (run,) = client.search_runs([place])
    (version,) = client.search_model_versions("name = 'linear_diabetes'")
    (model,) = client.search_logged_models([place])
    assert (version.run_id, version.source) == (run.info.run_id, model.artifact_location)
    assert client.get_model_version_by_alias("linear_diabetes", "champion").version == version.version
    assert all(len(client.get_metric_history(run.info.run_id, name)) in (1, 3) for name in run.data.metrics), (
        "doubled points"
    )
