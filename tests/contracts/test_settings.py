"""Settings of a training, each seen to act: weights, augmentation, precision, XLA, device, callbacks, trouble."""

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from sklearn.linear_model import Ridge

from pipeline.config import Config
from pipeline.data.history import EpochValues
from pipeline.data.sampling import TrainingData
from pipeline.errors import ArtifactError, ConfigError
from pipeline.layout import CHECKPOINTS
from pipeline.model.assembly import Assembled
from pipeline.model.xla import pooling
from pipeline.tensorflow_process import start_session
from pipeline.tracking.journal import Journal, read
from pipeline.training import callbacks, examples, seeding
from pipeline.training.compilation import uses_xla
from pipeline.training.fit import fit
from pipeline.training.memory import memory_advice
from tests.clones import environment
from tests.contracts.mixed_precision import CASES as MIXED_CASES
from tests.contracts.test_exact import config_for as exact_config
from tests.contracts.test_families import config_of, features_of, rows_of, schema_of
from tests.contracts.test_resume import CASES, forget_last_checkpoint, run
from tests.contracts.test_resume import config_for as resumable_config

ITERATIVE = ("compiled", "keras")
MIXED = Path(__file__).with_name("mixed_precision.py")
IMAGES = ("cnn", "image", "multiclass")


def trained(config: Config, column: str, task: str, folder: Path, **changed: object) -> tuple[Assembled, list]:
    schema = schema_of(column, task)
    rows = replace(rows_of(schema, 1), **changed)
    return fit(config, TrainingData(schema, rows, rows_of(schema, 2)), folder, Journal(folder / "journal.jsonl"))


def weights_of(model: Assembled) -> list[bytes]:
    return [weight.tobytes() for weight in model.core.get_weights()]


def test_sample_weights_are_scikit_learns(tmp_path: Path) -> None:
    schema = schema_of("number", "regression")
    rows = rows_of(schema, 1)
    weight = np.random.default_rng(0).uniform(0, 3, rows.num_rows).astype(np.float32)
    model, _ = trained(exact_config("regression"), "number", "regression", tmp_path, weight=weight)
    features, target = features_of(model, rows), model.head.training_target(rows.target)
    expected = Ridge(alpha=0.01 * rows.num_rows).fit(features, target, sample_weight=weight.astype(np.float64))
    np.testing.assert_allclose(model.core.get_layer("head").get_weights()[0].ravel(), expected.coef_.ravel(), rtol=1e-4)


def test_sample_weights_under_every_trainer(tmp_path: Path) -> None:
    weight = np.linspace(0, 2, rows_of(schema_of("number", "regression"), 1).num_rows).astype(np.float32)
    found = []
    for trainer in ITERATIVE:
        config = config_of("linear", "regression")
        config.trainer.name = trainer
        found.append(trained(config, "number", "regression", tmp_path / trainer, weight=weight)[0].core.get_weights())
    plain = trained(config_of("linear", "regression"), "number", "regression", tmp_path / "plain")[0].core.get_weights()
    for ours, theirs, unweighted in zip(*found, plain, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)
        assert np.abs(ours - unweighted).max() > 1e-3


@pytest.mark.parametrize("trainer", ITERATIVE)
def test_augmentation_is_drawn_anew_and_the_same_again(trainer: str, tmp_path: Path) -> None:
    config = config_of("cnn", "multiclass")
    config.trainer.name, config.trainer.epochs = trainer, 2
    plain, _ = trained(config, "image", "multiclass", tmp_path / "plain")
    settings = config.trainer.augmentation
    settings.translate, settings.rotate, settings.zoom, settings.flip = 0.2, 0.1, 0.1, True
    first, _ = trained(config, "image", "multiclass", tmp_path / "first")
    second, _ = trained(config, "image", "multiclass", tmp_path / "second")
    assert weights_of(first) == weights_of(second) != weights_of(plain)
    served = [layer.name for layer in first.served.layers]
    assert "augmentation" not in served


def test_mirrored_over_one_device_is_as_without(tmp_path: Path) -> None:
    losses = []
    for strategy in ("none", "mirrored"):
        config = config_of("linear", "regression")
        config.trainer.name, config.trainer.strategy = "compiled", strategy
        history = trained(config, "number", "regression", tmp_path / strategy)[1]
        losses.append([values["loss"] for values in history])
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-5)


@pytest.mark.slow
def test_mixed_precision_under_the_instructions_of_a_real_run() -> None:
    """In a process of its own, which may use other instructions than this one."""
    env = environment() | {"PIPELINE_TEST_PRECISION": "mixed_bfloat16"}
    command = [sys.executable, "-m", "pytest", "-p", "no:xdist", "-p", "no:cacheprovider", str(MIXED)]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=900)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(MIXED_CASES)} passed" in done.stdout


@pytest.mark.parametrize(
    "case", [case for case in CASES if case[0] in ("linear", "mlp", "cnn")], ids=lambda case: case[0]
)
def test_xla_repeats_and_resumes(case: tuple[str, str, str], tmp_path: Path) -> None:
    config = resumable_config("compiled", case)
    # where images are augmented, XLA gets each step instead of whole epochs
    config.trainer.augmentation.translate = 0.2 if case[0] == "cnn" else 0.0
    config.trainer.xla = "on"
    whole = run(config, case, tmp_path)
    forget_last_checkpoint(tmp_path)
    assert run(config, case, tmp_path) == whole
    tags = [record["tags"] for record in read(tmp_path / "journal.jsonl") if record["type"] == "tags"]
    assert tags[0]["xla"] == "on"


def test_what_xla_cannot_compute_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = config_of("cnn", "multiclass")
    config.trainer.name, config.trainer.xla = "compiled", "on"
    monkeypatch.setattr(pooling, "speed_up", lambda layer: None)  # Keras' own pooling
    message = r"XLA cannot train this model \(GPU MaxPool gradient ops .*\)\. Set trainer.xla=off\."
    with pytest.raises(ConfigError, match=message):
        trained(config, "image", "multiclass", tmp_path)


def convolution_of(strides: int) -> keras.Model:
    inputs = keras.Input((8, 8, 2))
    return keras.Model(inputs, keras.layers.Conv2D(4, 3, strides, padding="same", name="convolution_0")(inputs))


def test_what_is_slow_with_xla_is_refused_by_name() -> None:
    config = replace(config_of("cnn", "multiclass").trainer, name="compiled", xla="on")
    assert uses_xla(config, True, convolution_of(strides=1), 100)
    message = (
        "trainer.xla=on: the layer convolution_0 has strides=(2, 2), and XLA has no fast form of that on a CPU. Set"
    )
    with pytest.raises(ConfigError, match=re.escape(message)):
        uses_xla(config, True, convolution_of(strides=2), 100)


def test_xla_auto_is_for_what_it_pays() -> None:
    config = replace(config_of("cnn", "multiclass").trainer, name="compiled", epochs=1000, batch_size=32)
    core = convolution_of(strides=1)
    assert uses_xla(config, True, core, 1000)
    assert not uses_xla(replace(config, epochs=1), True, core, 1000), "too little to compute"
    assert not uses_xla(replace(config, precision="mixed_bfloat16"), True, core, 1000)
    assert not uses_xla(replace(config, xla="off"), True, core, 1000)
    assert not uses_xla(replace(config, strategy="mirrored"), True, core, 1000)
    assert not uses_xla(config, False, core, 1000), "a trainer that does not take XLA"
    assert not uses_xla(config, True, convolution_of(strides=2), 1000), "a slow layer"


def test_xla_auto_weighs_the_arithmetic_of_a_step() -> None:
    """As many steps pay with wide layers and not with narrow ones."""
    config = replace(config_of("cnn", "multiclass").trainer, name="compiled", epochs=10, batch_size=64)
    inputs = keras.Input((32,))
    found = []
    for units in (32, 8192):
        hidden = keras.layers.Dense(units, name="hidden")(inputs)
        found.append(uses_xla(config, True, keras.Model(inputs, keras.layers.Dense(units)(hidden)), 64 * 100))
    assert found == [False, True]


@pytest.mark.parametrize("xla", ["off", "on"])
@pytest.mark.parametrize("case", [CASES[0]], ids=lambda case: case[0])
def test_validation_rows_beyond_one_batch(
    case: tuple[str, str, str], xla: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = config_of(case[0], case[2])
    config.trainer.name, config.trainer.xla, config.trainer.epochs = "compiled", xla, 2
    whole = trained(config, case[1], case[2], tmp_path / "whole")[1]
    monkeypatch.setattr(examples, "EVALUATED_ROWS", 20)  # two batches and a rest
    for ours, theirs in zip(trained(config, case[1], case[2], tmp_path / "cut")[1], whole, strict=True):
        np.testing.assert_allclose(list(ours.values()), list(theirs.values()), rtol=1e-5)


@pytest.mark.parametrize("case", CASES[2:], ids=lambda case: case[0])
def test_xla_learns_what_is_learned_without(
    case: tuple[str, str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = config_of(case[0], case[2])
    config.trainer.name, config.model.dropout = "compiled", 0.3
    config.trainer.optimizer.name = "sgd"  # Adam makes rounding visible behind batch norm
    histories = []
    for xla in ("off", "on"):
        config.trainer.xla = xla
        histories.append(trained(config, case[1], case[2], tmp_path / xla)[1])
    for ours, theirs in zip(*histories, strict=True):
        np.testing.assert_allclose(list(ours.values()), list(theirs.values()), rtol=1e-4, atol=1e-5)
    # and other masks of dropout would be seen
    config.trainer.xla, config.trainer.epochs = "off", 1
    monkeypatch.setattr(seeding, "DROPOUT_STREAM", seeding.DROPOUT_STREAM + 1)
    other = trained(config, case[1], case[2], tmp_path / "other")[1][0]["loss"]
    assert abs(other - histories[0][0]["loss"]) > 1e-3


def test_a_gpus_memory_is_taken_as_it_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    """No GPU is needed for this: what is asked of TensorFlow for two that it says are there."""
    grown: list[str] = []
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: ["gpu 0", "gpu 1"])
    monkeypatch.setattr(tf.config.experimental, "get_memory_growth", lambda gpu: gpu in grown)
    monkeypatch.setattr(tf.config.experimental, "set_memory_growth", lambda gpu, on: grown.append(gpu))
    monkeypatch.setattr(tf.config.experimental, "get_device_details", lambda gpu: {"device_name": f"name of {gpu}"})
    config = config_of("linear", "regression").trainer
    for _ in range(2):  # a sweep's second job finds it set
        assert start_session(config.tensorflow, 1) == "name of gpu 0"
    assert grown == ["gpu 0", "gpu 1"]


def test_no_gpu_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = config_of("linear", "regression")
    config.trainer.device = "gpu"
    if tf.config.list_physical_devices("GPU"):
        pytest.skip("there is one")
    trained(config, "number", "regression", tmp_path)
    assert "trainer.device is gpu, but TensorFlow finds none; going on with the CPU\n" in capsys.readouterr().err
    assert read(tmp_path / "journal.jsonl")[0]["tags"]["device"] == "cpu"


class HalveEverySecond(keras.callbacks.Callback):
    """A user's own: plain Keras, stops by itself."""

    def __init__(self, stop_after: int) -> None:
        super().__init__()
        self.stop_after, self.seen = stop_after, 0

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        if epoch % 2 == 1:
            self.model.optimizer.learning_rate = float(self.model.optimizer.learning_rate) / 2

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        assert set(logs) == {"loss", "mae", "val_loss", "val_mae", "learning_rate"}
        self.seen += 1
        self.model.stop_training = self.seen == self.stop_after


@pytest.mark.parametrize("trainer", ITERATIVE)
def test_a_keras_callback_of_the_users(trainer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(callbacks.CALLBACKS, "halve", HalveEverySecond)
    config = config_of("linear", "regression")
    config.trainer.name, config.trainer.epochs = trainer, 8
    config.trainer.callbacks = {"halve": {"stop_after": 5}}
    history: list[EpochValues] = trained(config, "number", "regression", tmp_path)[1]
    rates = [values["learning_rate"] for values in history]
    np.testing.assert_allclose(rates, [0.02, 0.01, 0.01, 0.005, 0.005], rtol=1e-6)


def test_unknown_callbacks_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"trainer.callbacks: 'reduce_on_plato' is unknown \(reduce_on_plateau\)"):
        callbacks.build_callbacks({"reduce_on_plato": {}})
    with pytest.raises(ConfigError, match=r"trainer.callbacks.reduce_on_plateau: .*factor >= 1.0"):
        callbacks.build_callbacks({"reduce_on_plateau": {"factor": 2.0}})


def test_two_that_set_the_learning_rate_are_refused(tmp_path: Path) -> None:
    config = config_of("linear", "regression")
    config.trainer.optimizer.schedule, config.trainer.callbacks = "cosine", {"reduce_on_plateau": {}}
    message = (
        "trainer.callbacks: ReduceLROnPlateau sets the learning rate, and so does trainer.optimizer.schedule=cosine"
    )
    with pytest.raises(ConfigError, match=re.escape(message)):
        trained(config, "number", "regression", tmp_path)


@pytest.mark.parametrize("trainer", ITERATIVE)
def test_a_callback_that_waits_for_accuracy(trainer: str, tmp_path: Path) -> None:
    config = config_of("logistic", "multiclass")
    config.trainer.name, config.trainer.epochs = trainer, 4
    # no accuracy is 1 better than another: the rate falls with each epoch after the first
    monitor = {"monitor": "val_accuracy", "min_delta": 1.0, "patience": 1, "factor": 0.5}
    config.trainer.callbacks = {"reduce_on_plateau": monitor}
    rates = [values["learning_rate"] for values in trained(config, "number", "multiclass", tmp_path)[1]]
    np.testing.assert_allclose(np.array(rates) / rates[0], [1, 1, 0.5, 0.25], rtol=1e-6)
    config.trainer.callbacks = {"reduce_on_plateau": {"monitor": "val_acuracy"}}
    names = "loss, accuracy, val_loss, val_accuracy, learning_rate"
    message = f"trainer.callbacks: monitor 'val_acuracy' is unknown ({names}). Did you mean 'val_accuracy'?"
    with pytest.raises(ConfigError, match=re.escape(message)):
        trained(config, "number", "multiclass", tmp_path / "misspelt")


def test_a_loss_that_is_not_finite_names_epoch_and_step_and_keeps_the_last_good_checkpoint(tmp_path: Path) -> None:
    config = config_of("linear", "regression")
    config.trainer.name, config.trainer.epochs = "compiled", 400
    config.trainer.optimizer.name, config.trainer.optimizer.learning_rate = "sgd", 3.0
    config.checkpoint.every_epochs = 1
    with pytest.raises(ArtifactError, match=r"loss is (inf|nan) in epoch \d+, step [1-5], at learning rate 3\. Try"):
        trained(config, "number", "regression", tmp_path)
    epochs = [record["epoch"] for record in read(tmp_path / "journal.jsonl") if record["type"] == "metrics"]
    last = max(path.name for path in (tmp_path / CHECKPOINTS).iterdir())
    assert last == f"epoch-{epochs[-1]:09d}.ckpt"


@pytest.mark.parametrize(
    "error", [tf.errors.ResourceExhaustedError(None, None, "OOM when allocating"), MemoryError()], ids=type
)
def test_out_of_memory_names_the_next_batch_size(error: Exception) -> None:
    with (
        pytest.raises(
            ConfigError, match=r"out of memory with trainer.batch_size 64. Try trainer.batch_size=32, or where "
        ),
        memory_advice(64),
    ):
        raise error


def test_a_full_disk_is_not_out_of_memory() -> None:
    with pytest.raises(tf.errors.ResourceExhaustedError), memory_advice(64):
        raise tf.errors.ResourceExhaustedError(None, None, "events.out; No space left on device")
