"""Two workers on loopback, and two devices of one process, train to the losses of one process."""

import csv
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import Run, Start


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def workers(start_pipeline: Start, *options: str) -> "list[subprocess.Popen[str]]":
    """The same command twice, each with its TF_CONFIG; the chief first."""
    cluster = {"worker": [f"127.0.0.1:{free_port()}" for _ in range(2)]}
    tasks = [{"type": "worker", "index": index} for index in range(2)]
    command = ["train", "trainer.strategy=multi_worker", *options]
    return [start_pipeline(*command, TF_CONFIG=json.dumps({"cluster": cluster, "task": task})) for task in tasks]


def losses(folder: Path) -> np.ndarray:
    with (folder / "history.csv").open() as stream:
        return np.array([[float(row["loss"]), float(row["val_loss"])] for row in csv.DictReader(stream)])


@pytest.mark.slow
def test_two_workers_and_a_lost_one(
    checkout: Path, pipeline: Run, start_pipeline: Start, prepare: Callable[[str], None]
) -> None:
    prepare("breast_cancer")
    options = ["experiment=logistic_breast_cancer", "trainer.epochs=200", "trainer.class_weight=balanced"]
    alone = pipeline("train", *options, "output=alone")
    assert alone.returncode == 0, alone.stderr
    shared = [*options, "checkpoint.every_epochs=1", "output=shared"]
    chief, worker = workers(start_pipeline, *shared)
    deadline = time.monotonic() + 200
    while not list(checkout.glob("runs/*/checkpoints/epoch-*.ckpt")):
        assert time.monotonic() < deadline
        assert chief.poll() is None, chief.communicate()
        time.sleep(0.05)
    worker.kill()
    _, errors = chief.communicate(timeout=200)
    assert chief.returncode == 2, errors
    assert "error: a worker of this job was lost. Start every worker again with the same command" in errors
    assert not (checkout / "shared").exists()
    # a checkpoint holds no trace of how many workers made it
    (saved,) = {path.parent.parent.name for path in checkout.glob("runs/*/checkpoints/epoch-*.ckpt")}
    both = workers(start_pipeline, *shared)
    ended = [process.communicate(timeout=300) for process in both]
    assert [process.returncode for process in both] == [0, 0], ended
    (resumed,) = [line for line in ended[0][0].splitlines() if "going on after epoch" in line]
    assert saved in resumed
    np.testing.assert_allclose(losses(checkout / "shared"), losses(checkout / "alone"), rtol=1e-6, atol=1e-6)


MIRRORED = """
import sys
import tensorflow as tf
cpus = tf.config.list_physical_devices("CPU")
tf.config.set_logical_device_configuration(cpus[0], [tf.config.LogicalDeviceConfiguration()] * 2)
sys.argv = ["train", "experiment=rnn_digits", "trainer.epochs=2", "model.units=[8]", "model.dropout=0", "output=two",
            "trainer.strategy=mirrored"]
from pipeline.train import main
main()
"""


@pytest.mark.slow
def test_two_devices(checkout: Path, pipeline: Run, prepare: Callable[[str], None], run: Run) -> None:
    prepare("digits")
    options = ["experiment=rnn_digits", "trainer.epochs=2", "model.units=[8]", "model.dropout=0", "output=one"]
    assert pipeline("train", *options).returncode == 0
    done = run(sys.executable, "-c", MIRRORED)
    assert done.returncode == 0, done.stderr
    np.testing.assert_allclose(losses(checkout / "two"), losses(checkout / "one"), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["trainer=keras"], "trainer.strategy=multi_worker needs trainer=compiled, found keras."),
        (["trainer.optimizer.clip_norm=1"], "trainer.strategy=multi_worker: clip_norm would clip each replica's"),
        ([], "trainer.strategy=multi_worker: TF_CONFIG is '', expected JSON such as"),
    ],
)
def test_what_cannot_be_distributed(options: list[str], message: str, pipeline: Run) -> None:
    assert "TF_CONFIG" not in os.environ
    done = pipeline("train", "experiment=linear_diabetes", "trainer.strategy=multi_worker", *options)
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: {message}")
