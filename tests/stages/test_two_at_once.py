"""Two processes at one identity or one output: the second waits and says for whom; no bit of either is harmed."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock

from pipeline.layout import Layout
from pipeline.tracking.journal import read
from tests.conftest import Run, Start
from tests.end_to_end.test_kill import OUTPUTS, once

EPOCHS = 20_000  # some seconds: its first are journaled after one
# Of no interest here, and to write so many epochs into a store takes longer than to train them.
NO_STORE = {"MLFLOW_TRACKING_URI": "http://127.0.0.1:1"}


@pytest.mark.slow
def test_the_second_training_of_an_identity_waits(
    checkout: Path, start_pipeline: Start, prepare: Callable[[str], None]
) -> None:
    prepare("diabetes")
    command = ["train", "experiment=linear_diabetes", "trainer.epochs=3"]
    started = [start_pipeline(*command, f"output={name}") for name in ("one", "two")]
    ended = [process.communicate(timeout=300) for process in started]
    assert [process.returncode for process in started] == [0, 0], ended
    waited = [errors for _, errors in ended if "waiting for process " in errors]
    assert len(waited) == 1
    assert "which holds run linear_diabetes-" in waited[0]
    for name in OUTPUTS:
        assert (checkout / "one" / name).read_bytes() == (checkout / "two" / name).read_bytes()
    assert not any("The bits were not reproduced" in output for output, _ in ended)
    (run,) = (checkout / "runs").glob("linear_diabetes-*")
    assert (run / "journal.jsonl").read_text().count('"type": "metrics"') == 3


@pytest.mark.slow
def test_a_training_waits_for_the_one_that_writes_its_output(
    checkout: Path, start_pipeline: Start, prepare: Callable[[str], None]
) -> None:
    """As the successor of a training whose `dvc repro` was killed, under a configuration changed since."""
    prepare("diabetes")
    lock = Layout(checkout).output_lock(checkout / "out")
    lock.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(lock):
        process = start_pipeline("train", "experiment=linear_diabetes", "trainer.epochs=3", "output=out")
        assert process.stderr is not None
        assert process.stderr.readline().startswith("waiting for another process, which holds output out (")
        assert process.poll() is None
        assert not (checkout / "out").exists()
    assert process.wait(timeout=300) == 0
    assert (checkout / "out" / "model.keras").is_file()


@pytest.mark.slow
def test_a_training_that_outlives_its_dvc_repro(
    checkout: Path, pipeline: Run, start: Start, edit: Callable[[str, str, str], None]
) -> None:
    """DVC alone is killed; the next `dvc repro` removes the stage's output and starts the same training again."""
    edit("conf/experiment/linear_diabetes.yaml", "epochs: 200", f"epochs: {EPOCHS}")
    command = ["dvc", "repro", "train@linear_diabetes"]
    process = start(*command, **NO_STORE)
    journal = once(checkout, process, 20)
    process.kill()
    process.wait()
    os.killpg(process.pid, signal.SIGSTOP)  # what it has left; it would have ended before the next is there
    successor = start(*command, **NO_STORE)
    assert successor.stderr is not None
    told = next((line for line in successor.stderr if line.startswith("waiting for")), "it did not wait")
    assert "which holds output build/train/linear_diabetes (" in told
    assert not (checkout / "build" / "train" / "linear_diabetes").exists()
    os.killpg(process.pid, signal.SIGCONT)
    printed, errors = successor.communicate(timeout=300)
    assert successor.returncode == 0, errors
    assert "The bits were not reproduced" not in printed
    epochs = [record["epoch"] for record in read(journal) if record["type"] == "metrics"]
    assert epochs == list(range(1, EPOCHS + 1))
    trained = checkout / "build" / "train" / "linear_diabetes"
    again = pipeline("train", "experiment=linear_diabetes", "output=again", **NO_STORE)
    assert again.returncode == 0, again.stderr
    for name in OUTPUTS:
        assert (trained / name).read_bytes() == (checkout / "again" / name).read_bytes()
