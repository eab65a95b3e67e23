"""A training that ends after a checkpoint and goes on from it is the same training, under every trainer and family."""

import signal
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

from pipeline.config import CheckpointConfig, Config, EarlyStoppingConfig
from pipeline.data.history import GivenUp
from pipeline.data.sampling import TrainingData
from pipeline.layout import CHECKPOINTS, TENSORBOARD
from pipeline.tracking.journal import Journal, read
from pipeline.training import TRAINERS, callbacks, checkpoint
from pipeline.training.checkpoint import Checkpoint, Checkpoints
from pipeline.training.fit import fit
from tests.contracts.test_families import config_of, rows_of, schema_of

CASES = [
    ("linear", "number", "regression"),
    ("logistic", "number", "binary"),
    ("mlp", "number", "binary"),
    ("cnn", "image", "multiclass"),
    ("rnn", "image", "multiclass"),
]
EPOCHS = 7
ITERATIVE = [name for name in TRAINERS if name != "exact"]
NEVER = 1e9  # seconds: on a busy machine, one that is due by time would fall on any epoch


class Killed(BaseException):
    """As sudden as a signal."""


def config_for(trainer: str, case: tuple[str, str, str]) -> Config:
    config = config_of(case[0], case[2])
    config.trainer.name, config.trainer.epochs = trainer, EPOCHS
    config.trainer.optimizer.schedule = "cosine"
    config.trainer.tensorboard.histograms_every = 2
    config.checkpoint = CheckpointConfig(NEVER, every_epochs=3)
    if case[0] in ("mlp", "cnn", "rnn"):
        config.model.dropout = 0.2
    if case[0] == "mlp":
        config.model.batch_norm = True
    if case[1] == "image":
        config.trainer.augmentation.translate = 0.2
    if case[1] == "text":
        config.trainer.augmentation.word_dropout = 0.2
    return config


def run(config: Config, case: tuple[str, str, str], folder: Path) -> tuple[list[bytes], list[dict[str, float]]]:
    schema = schema_of(case[1], case[2])
    journal = Journal(folder / "journal.jsonl")
    model, history = fit(config, TrainingData(schema, rows_of(schema, 1), rows_of(schema, 2)), folder, journal)
    return [weight.tobytes() for weight in model.core.get_weights()], history


def points(folder: Path) -> list[tuple[int, str]]:
    """(step, tag) of everything that TensorBoard would read."""
    found = []
    for path in sorted((folder / TENSORBOARD).rglob("events*")):
        for event in EventFileLoader(str(path)).Load():
            found += [(event.step, f"{path.parent.name}/{value.tag}") for value in event.summary.value]
    return sorted(found)


def kill_at_save(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """End the training right after its `number`th checkpoint."""
    saves, save = [], Checkpoints.save

    def save_and_die(self: Checkpoints, checkpoint: Checkpoint) -> None:
        save(self, checkpoint)
        saves.append(checkpoint.epoch)
        if len(saves) == number:
            raise Killed

    monkeypatch.setattr(Checkpoints, "save", save_and_die)


def forget_last_checkpoint(folder: Path) -> None:
    """Leave what a training leaves that is killed shortly before it saves again: the next one starts further back."""
    earlier, last = sorted((folder / CHECKPOINTS).iterdir())
    assert (earlier.name, last.name) == ("epoch-000000003.ckpt", "epoch-000000006.ckpt")
    last.unlink()


@pytest.mark.parametrize("trainer", ITERATIVE)
def test_a_training_that_a_search_gave_up_goes_on_to_the_same_end(trainer: str, tmp_path: Path) -> None:
    case = CASES[2]
    config, schema = config_for(trainer, case), schema_of(*case[1:])
    whole = run(config, case, tmp_path / "whole")
    asked: list[int] = []

    def judge(epoch: int, values: dict[str, float]) -> bool:
        asked.append(epoch)
        assert values == whole[1][epoch - 1]
        return epoch == 4

    data = TrainingData(schema, rows_of(schema, 1), rows_of(schema, 2))
    for _ in range(2):  # asked again about the epochs that are done, it gives up at the same one, and trains nothing
        with pytest.raises(GivenUp) as given_up:
            fit(config, data, tmp_path / "pruned", Journal(tmp_path / "pruned" / "journal.jsonl"), judge=judge)
        assert (given_up.value.epoch, given_up.value.history) == (4, whole[1][:4])
    assert asked == [1, 2, 3, 4] * 2
    assert run(config, case, tmp_path / "pruned") == whole


def test_after_the_last_epoch_nobody_is_asked(tmp_path: Path) -> None:
    case = CASES[0]
    config, schema = config_for("compiled", case), schema_of(*case[1:])
    data = TrainingData(schema, rows_of(schema, 1), rows_of(schema, 2))
    fit(config, data, tmp_path, Journal(tmp_path / "journal.jsonl"), judge=lambda epoch, values: epoch == EPOCHS)


@pytest.mark.parametrize("trainer", ["compiled", "exact"])
def test_the_epoch_in_which_a_training_stops_is_not_judged(
    trainer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor where the training goes on from a checkpoint of that epoch."""
    case = ("logistic", "number", "binary")
    config, schema = config_for(trainer, case), schema_of(*case[1:])
    config.trainer.epochs, config.checkpoint = 30, CheckpointConfig(NEVER, every_epochs=1)
    config.trainer.optimizer.schedule, config.trainer.optimizer.learning_rate = "constant", 1.0
    if trainer != "exact":
        config.trainer.early_stopping = EarlyStoppingConfig(patience=1)
    config.model.l2 = 0.01
    asked: list[int] = []

    def judge(epoch: int, values: dict[str, float]) -> bool:
        asked.append(epoch)
        return False

    def trained(folder: Path) -> int:
        data = TrainingData(schema, rows_of(schema, 1), rows_of(schema, 2))
        return len(fit(config, data, folder, Journal(folder / "journal.jsonl"), judge=judge)[1])

    last = trained(tmp_path / "whole")
    assert last < 30, "it has stopped"
    expected = list(range(1, last))
    assert asked == expected
    kill_at_save(monkeypatch, last)
    with pytest.raises(Killed):
        trained(tmp_path / "killed")
    monkeypatch.undo()
    asked.clear()
    assert trained(tmp_path / "killed") == last
    assert asked == expected


# what logistic has to go on from is what linear has, and mlp has its task
@pytest.mark.parametrize(
    "case",
    [*(case for case in CASES if case[0] != "logistic"), ("cnn", "text", "binary")],
    ids=lambda case: "-".join(case[:2]),
)
@pytest.mark.parametrize("trainer", ITERATIVE)
def test_resumed_is_the_same_training(
    trainer: str, case: tuple[str, str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = config_for(trainer, case)
    whole = run(config, case, tmp_path / "whole")
    kill_at_save(monkeypatch, 2)
    with pytest.raises(Killed):
        run(config, case, tmp_path / "killed")
    monkeypatch.undo()
    assert [path.name for path in sorted((tmp_path / "killed" / CHECKPOINTS).iterdir())] == [
        "epoch-000000003.ckpt",
        "epoch-000000006.ckpt",
    ]
    assert run(config, case, tmp_path / "killed") == whole
    epochs = [record["epoch"] for record in read(tmp_path / "killed" / "journal.jsonl") if record["type"] == "metrics"]
    assert epochs == list(range(1, EPOCHS + 1))
    assert points(tmp_path / "killed") == points(tmp_path / "whole")


@pytest.mark.parametrize("trainer", ITERATIVE)
def test_early_stopping_and_callbacks_resume(trainer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The best epoch lies before the kill, and the plateau that is being counted spans it."""
    case = ("linear", "number", "regression")
    config = config_for(trainer, case)
    config.trainer.epochs = 30
    config.trainer.optimizer.schedule, config.trainer.optimizer.learning_rate = "constant", 0.3
    config.trainer.early_stopping = EarlyStoppingConfig(patience=4)
    config.trainer.callbacks = {"reduce_on_plateau": {"patience": 2, "factor": 0.5}}
    whole = run(config, case, tmp_path / "whole")
    history = whole[1]
    best = min(range(len(history)), key=lambda i: history[i]["val_loss"])
    assert len(history) < 30, "stopped early"
    assert history[-1]["learning_rate"] < 0.3, "the callback acted"
    config.checkpoint = CheckpointConfig(NEVER, every_epochs=best + 2)
    kill_at_save(monkeypatch, 1)
    with pytest.raises(Killed):
        run(config, case, tmp_path / "killed")
    monkeypatch.undo()
    assert run(config, case, tmp_path / "killed") == whole


@pytest.mark.parametrize("trainer", ITERATIVE)
def test_the_arrays_of_a_callback_resume(trainer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keras' own early stopping keeps the best weights in itself."""
    monkeypatch.setitem(callbacks.CALLBACKS, "keras_early_stopping", keras.callbacks.EarlyStopping)
    case = ("linear", "number", "regression")
    config = config_for(trainer, case)
    config.trainer.epochs = 30
    config.trainer.optimizer.schedule, config.trainer.optimizer.learning_rate = "constant", 0.3
    config.trainer.callbacks = {"keras_early_stopping": {"patience": 4, "restore_best_weights": True}}
    weights, history = run(config, case, tmp_path / "whole")
    best = min(range(len(history)), key=lambda i: history[i]["val_loss"])
    assert best < len(history) - 1 < 29, "stopped early"
    config.checkpoint = CheckpointConfig(NEVER, every_epochs=best + 2)
    kill_at_save(monkeypatch, 1)
    with pytest.raises(Killed):
        run(config, case, tmp_path / "killed")
    monkeypatch.undo()
    monkeypatch.setitem(callbacks.CALLBACKS, "keras_early_stopping", keras.callbacks.EarlyStopping)
    assert run(config, case, tmp_path / "killed") == (weights, history)


@pytest.mark.parametrize("damage", ["cut off", "another byte", "empty"])
def test_damaged_checkpoint_is_set_aside_and_the_one_before_used(
    damage: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    checkpoints = Checkpoints(tmp_path, "run")
    for epoch in (1, 2, 3):
        checkpoints.save(Checkpoint(epoch, {"history": [{"loss": 0.1 * epoch}]}, {"weights": [np.arange(5.0)]}))
    last = tmp_path / "epoch-000000003.ckpt"
    content = bytearray(last.read_bytes())
    content[-40] ^= 1
    last.write_bytes({"cut off": last.read_bytes()[:-20], "another byte": bytes(content), "empty": b""}[damage])
    (tmp_path / ".epoch-000000004.ckpt.x.partial").write_bytes(b"half")
    found = Checkpoints(tmp_path, "run").latest()
    assert found is not None
    assert (found.epoch, found.values) == (2, {"history": [{"loss": 0.2}]})
    np.testing.assert_array_equal(found.arrays["weights"][0], np.arange(5.0))
    assert f"checkpoint {last} cannot be used (its digest does not fit" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["epoch-000000002.ckpt", "epoch-000000003.damaged"]


SAVE = """
import os, signal, sys
from pathlib import Path
import numpy as np
from pipeline.training.checkpoint import Checkpoint, Checkpoints
checkpoints = Checkpoints(Path(sys.argv[1]), "run")
for epoch in (1, 2, 3):
    if epoch == 3:
        name = {"writing": "write_bytes", "renaming": "replace", "removing": "unlink"}[sys.argv[2]]
        usual = getattr(Path, name)
        def killed(path, *given, **named):
            if name == "write_bytes":
                usual(path, given[0][:100])
            elif name == "unlink" and path.suffix != ".ckpt":
                return usual(path, *given, **named)
            os.kill(os.getpid(), signal.SIGKILL)
        setattr(Path, name, killed)
    checkpoints.save(Checkpoint(epoch, {}, {"weights": [np.full(5, float(epoch))]}))
"""


@pytest.mark.parametrize(("moment", "epoch"), [("writing", 2), ("renaming", 2), ("removing", 3)])
def test_killed_while_a_checkpoint_is_written(moment: str, epoch: int, tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", SAVE, str(tmp_path), moment], check=False)
    assert done.returncode == -signal.SIGKILL
    checkpoints = Checkpoints(tmp_path, "run")
    found = checkpoints.latest()
    assert found is not None
    assert found.epoch == epoch
    np.testing.assert_array_equal(found.arrays["weights"][0], np.full(5, float(epoch)))
    assert not list(tmp_path.glob(".*")), "what was left half-written is gone"
    checkpoints.save(Checkpoint(epoch + 1, {}, {}))
    assert len(list(tmp_path.iterdir())) == 2


def test_a_checkpoint_of_another_version_is_set_aside(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as earlier:
        earlier.setattr(checkpoint, "FORMAT", 0)
        Checkpoints(tmp_path, "run").save(Checkpoint(1, {}, {}))
    assert Checkpoints(tmp_path, "run").latest() is None
    path = tmp_path / "epoch-000000001.ckpt"
    assert capsys.readouterr().err == (
        f"checkpoint {path} cannot be used (it is of format 0 and run run, expected 1, run); set aside as "
        "epoch-000000001.damaged\n"
    )


def test_another_runs_checkpoint_is_not_used(tmp_path: Path) -> None:
    Checkpoints(tmp_path, "run").save(Checkpoint(1, {}, {}))
    assert Checkpoints(tmp_path, "other").latest() is None
