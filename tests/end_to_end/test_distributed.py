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


def tasks() -> list[str]:
    """TF_CONFIG of each of two workers, the chief first."""
    cluster = {"worker": [f"127.0.0.1:{free_port()}" for _ in range(2)]}
    return [json.dumps({"cluster": cluster, "task": {"type": "worker", "index": index}}) for index in range(2)]


def workers(start_pipeline: Start, *options: str) -> "list[subprocess.Popen[str]]":
    """The same command twice, the chief first."""
    command = ["train", "trainer.strategy=multi_worker", *options]
    return [start_pipeline(*command, TF_CONFIG=task) for task in tasks()]


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


AS_SEEN = """
import sys
from pipeline.training.lifecycle import Lifecycle
usual = Lifecycle.end_epoch
def told(self, values, *more):
    print("seen", {name: value.hex() for name, value in values.items()}, flush=True)
    usual(self, values, *more)
Lifecycle.end_epoch = told
from pipeline.train import main
main()
"""


@pytest.mark.slow
def test_workers_see_the_same_of_batch_norm_and_dropout_and_decide_alike(
    checkout: Path, start: Start, prepare: Callable[[str], None]
) -> None:
    """Each gathers its own moving statistics; whoever stops early, or lowers a rate, must not do so alone. Both read
    their features from the same files."""
    prepare("digits")
    options = ["experiment=cnn_digits", "trainer.epochs=30", "model.filters=[4]", "model.dropout=0.2", "output=out"]
    options += ["trainer.early_stopping={patience: 2, min_delta: 0.1}", "trainer.optimizer.schedule=constant"]
    options += ["+trainer.callbacks.reduce_on_plateau={patience: 1, min_delta: 0.3}", "trainer.batch_size=35"]
    options += ["trainer.resident_bytes=1"]
    command = [sys.executable, "-c", AS_SEEN, "trainer.strategy=multi_worker", *options]
    both = [start(*command, TF_CONFIG=task) for task in tasks()]
    ended = [process.communicate(timeout=300) for process in both]
    assert [process.returncode for process in both] == [0, 0], ended
    chief, worker = ([line for line in printed.splitlines() if line.startswith("seen")] for printed, _ in ended)
    assert chief == worker
    assert 2 < len(chief) < 30
    assert len({line.partition("learning_rate")[2] for line in chief}) > 1, "the rate was lowered"


@pytest.mark.slow
def test_workers_of_different_runs_are_refused(start_pipeline: Start, prepare: Callable[[str], None]) -> None:
    prepare("diabetes")
    command = ["train", "experiment=linear_diabetes", "trainer.strategy=multi_worker"]
    both = [start_pipeline(*command, f"trainer.epochs={i + 2}", TF_CONFIG=task) for i, task in enumerate(tasks())]
    ended = [process.communicate(timeout=300)[1] for process in both]
    assert [process.returncode for process in both] == [2, 2], ended
    # the first to say so leaves, which the second may find before it has seen why
    told = [errors for errors in ended if "a worker of this job was lost" not in errors]
    assert told
    for errors in told:
        assert "error: trainer.strategy: the replicas have different runs (here linear_diabetes-" in errors
        assert "), 0, 0 epochs done, expected the same run and epoch. Give all workers the same checkout" in errors


PARTS = """
import json
import numpy as np
import tensorflow as tf
cpus = tf.config.list_physical_devices("CPU")
tf.config.set_logical_device_configuration(cpus[0], [tf.config.LogicalDeviceConfiguration()] * 3)
import keras
from types import SimpleNamespace
from pipeline.config import OptimizerConfig
from pipeline.model.heads import Head
from pipeline.tasks import TASKS
from pipeline.training.examples import Examples
from pipeline.training.optimizers import build_optimizer
from pipeline.training.replicas import SharedSteps
from pipeline.training.seeding import seed_generators
strategy = tf.distribute.MirroredStrategy([f"CPU:{i}" for i in range(3)])
with strategy.scope():
    inputs = keras.Input((1,), name="vector")
    normed = keras.layers.BatchNormalization(momentum=0.0)(inputs)
    core = keras.Model({"vector": inputs}, keras.layers.Dense(1)(keras.layers.Dropout(0.5)(normed)))
    optimizer = build_optimizer(OptimizerConfig(), 1)
    optimizer.build(core.trainable_variables)
values = np.array([[1.0], [5.0], [8.0], [100.0]], np.float32)
train = Examples({"vector": values}, values, None, 4)
job = SimpleNamespace(core=core, strategy=strategy, train=train, augment=None, head=Head(TASKS["regression"], 1))
generators = seed_generators((core,))
steps = SharedSteps(job, optimizer, generators)
each = lambda v: [float(np.ravel(x)[0]) for x in strategy.experimental_local_results(v.value)]
with strategy.scope():
    tf.function(lambda: steps.seed(tf.constant([[7, 5]], tf.int64)), autograph=False)()
    seeds = [np.asarray(x).tolist() for x in strategy.experimental_local_results(generators[0].state.value)]
    # four rows for three replicas: two each, the last two filled up
    tf.function(steps.step, autograph=False)(tf.constant([1, 2, 0, 1], tf.int32))
    moving = core.layers[1].moving_mean
    own = each(moving)
    tf.function(steps.synchronize, autograph=False)()
    print(json.dumps({"seeds": seeds, "own": own, "mean": each(moving)}))
"""


def test_what_a_replica_has_of_its_own(run: Run) -> None:
    """Seeds; and moving means, of a batch that is filled up with its own rows to be shared."""
    done = run(sys.executable, "-c", PARTS)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["seeds"] == [[7, 5], [8, 5], [9, 5]]
    # 5 8, 1 5, and the first two again
    np.testing.assert_allclose(found["own"], [6.5, 3.0, 6.5], rtol=1e-6)
    np.testing.assert_allclose(found["mean"], [16 / 3] * 3, rtol=1e-6)


MIRRORED = """
import sys
import tensorflow as tf
cpus = tf.config.list_physical_devices("CPU")
tf.config.set_logical_device_configuration(cpus[0], [tf.config.LogicalDeviceConfiguration()] * 2)
sys.argv = ["train", "experiment=rnn_digits", "trainer.epochs=2", "model.units=[8]", "model.dropout=0", "output=two",
            "trainer.strategy=mirrored", "trainer.resident_bytes=1"]
from pipeline.train import main
main()
"""


@pytest.mark.slow
def test_two_devices_that_stream(checkout: Path, pipeline: Run, prepare: Callable[[str], None], run: Run) -> None:
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
    refused(message, pipeline, *options)


@pytest.mark.parametrize("task", [{"type": "evaluator", "index": 0}, {"type": "worker", "index": 2}])
def test_what_is_no_worker(task: dict[str, object], pipeline: Run) -> None:
    cluster = {"worker": ["a:1", "b:1"], "evaluator": ["c:1"]}
    config = json.dumps({"cluster": cluster, "task": task})
    refused(f"trainer.strategy=multi_worker: TF_CONFIG is '{config}', expected JSON", pipeline, TF_CONFIG=config)


def refused(message: str, pipeline: Run, *options: str, **env: str) -> None:
    done = pipeline("train", "experiment=linear_diabetes", "trainer.strategy=multi_worker", *options, **env)
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: {message}")
