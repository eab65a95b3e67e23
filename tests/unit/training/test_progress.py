"""What a user sees of a training while it runs."""

import re

import pytest

from pipeline.training.progress import Progress


def test_epochs_rate_remaining_time_and_the_last_values(capsys: pytest.CaptureFixture[str]) -> None:
    progress = Progress("cnn_digits", epochs=3)
    for epoch in (1, 2, 3):
        progress.epoch(epoch, {"loss": 1 / epoch, "val_loss": 2 / epoch, "learning_rate": 0.1})
    progress.close()
    lines = capsys.readouterr().err.strip().split("\r")
    assert re.search(r"^train cnn_digits: +0%.* 0/3 \[00:00<\?, \?epoch/s\]$", lines[0]), "remaining time and rate"
    assert re.search(r"^train cnn_digits: 100%.* 3/3 \[.*epoch/s, loss=0\.3333, val_loss=0\.6667\]$", lines[-1])


def test_a_resumed_training_starts_where_it_was(capsys: pytest.CaptureFixture[str]) -> None:
    Progress("cnn_digits", epochs=4, done=3).close()
    assert " 3/4 " in capsys.readouterr().err


def test_only_the_chief_shows_it(capsys: pytest.CaptureFixture[str]) -> None:
    progress = Progress("cnn_digits", epochs=1, shown=False)
    progress.epoch(1, {"loss": 1.0})
    progress.close()
    assert capsys.readouterr().err == ""
