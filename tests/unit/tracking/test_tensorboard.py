"""What TensorBoard will read: scalars of both splits under one tag, HParams, histograms, graph, confusion matrix."""

from pathlib import Path

import keras
import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from pipeline.tracking import tensorboard
from pipeline.tracking.tensorboard import TensorBoardWriter, confusion_counts, read_events
from pipeline.training.board import traced


def test_everything_is_there(tmp_path: Path) -> None:
    inputs = {"vector": keras.Input((3,), name="vector")}
    core = keras.Model(inputs, keras.layers.Dense(2, name="head")(inputs["vector"]))
    board = TensorBoardWriter(tmp_path)
    board.hparams({"model.filters": [8], "seed": 1})
    board.graph(traced(core).graph)
    for epoch in (1, 2):
        board.scalars(epoch, {"loss": 1 / epoch, "val_loss": 2 / epoch, "learning_rate": 0.1})
    board.histograms(2, core)
    board.confusion(2, confusion_counts(np.array([0, 1, 1]), np.array([0, 0, 1]), 2), ["no", "yes"])
    board.kept(1, {"loss": 1.0, "val_loss": 2.0})
    board.close()
    read = {name: EventAccumulator(str(tmp_path / name)).Reload() for name in ("train", "validation", "kept")}
    above = EventAccumulator(str(tmp_path)).Reload()
    assert [(event.step, event.value) for event in read["train"].Scalars("loss")] == [(1, 1.0), (2, 0.5)]
    assert [(event.step, event.value) for event in read["validation"].Scalars("loss")] == [(1, 2.0), (2, 1.0)]
    assert [(event.step, event.value) for event in read["kept"].Scalars("loss")] == [(1, 2.0)]
    assert read["validation"].Tags()["images"] == ["confusion"]
    assert read["train"].Tags()["graph"]
    assert "_hparams_/session_start_info" in above.summary_metadata
    assert "head/kernel" in read["train"].summary_metadata


def test_confusion_counts_rows_are_actual() -> None:
    counts = confusion_counts(np.array([0, 1, 1]), np.array([0, 0, 1]), 2)
    assert counts.tolist() == [[1, 0], [1, 1]]


def test_a_resumed_run_keeps_what_it_had_whenever_it_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def epochs() -> list[int]:
        return [event.step for event in read_events(tmp_path / "train", 2**31)]

    board = TensorBoardWriter(tmp_path)
    for epoch in range(1, 6):
        board.scalars(epoch, {"loss": 1 / epoch})
    board.close()
    # killed between writing what it keeps and removing what that is from
    monkeypatch.setattr(Path, "unlink", lambda *_, **__: (_ for _ in ()).throw(InterruptedError))
    with pytest.raises(InterruptedError):
        tensorboard.keep_events(tmp_path / "train", 4)
    monkeypatch.undo()
    assert len(list((tmp_path / "train").iterdir())) == 2
    for _ in range(2):  # what is resumed twice is no other case
        board = TensorBoardWriter(tmp_path, done=4)
        assert epochs() == [1, 2, 3, 4]
        board.scalars(5, {"loss": 0.1})
        board.close()
        assert epochs() == [1, 2, 3, 4, 5]
