"""history.csv holds an epoch's values to the last bit."""

from pathlib import Path

from pipeline.data.history import write_history


def test_history_keeps_every_bit(tmp_path: Path) -> None:
    epochs = [{"loss": 0.1 + 0.2, "val_loss": 1 / 3}, {"loss": 1e-17, "val_loss": 2.0}]
    write_history(tmp_path / "history.csv", epochs)
    header, *rows = (tmp_path / "history.csv").read_text().splitlines()
    assert header == "epoch,loss,val_loss"
    assert [float(v) for v in rows[0].split(",")] == [1, 0.1 + 0.2, 1 / 3]
