"""history.csv has one row for each epoch. `train` writes it; `evaluate` and the tracking read it."""

import csv
import io
from pathlib import Path

from pipeline.errors import ArtifactError
from pipeline.files import write_text
from pipeline.layout import experiment_of

EpochValues = dict[str, float]


class GivenUp(Exception):
    """Raised where a judge has given a training up after `epoch` epochs; its values so far are in `history`."""

    def __init__(self, epoch: int, history: list[EpochValues]) -> None:
        super().__init__(f"given up after epoch {epoch}")
        self.epoch, self.history = epoch, history[:epoch]


class LeftAlive(Exception):
    """Raised where a training ends without a verdict, since another process has it, or will take it up."""


def write_history(path: Path, epochs: list[EpochValues]) -> None:
    """Write each epoch's values. Epochs are numbered from 1. Floats are written in full, so that reading them gives the
    same bits."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, ["epoch", *epochs[0]], lineterminator="\n")
    writer.writeheader()
    for number, values in enumerate(epochs, start=1):
        writer.writerow({"epoch": number, **values})
    write_text(path, stream.getvalue())


def read_history(path: Path) -> list[EpochValues]:
    """The rows of a trained experiment's history.csv: {epoch, loss, ...} with numbers.

    Raises ArtifactError where it is missing, damaged or empty.
    """
    experiment = experiment_of(path.parent)
    again = f"Run: dvc repro -f train@{experiment}"
    try:
        with path.open(newline="", encoding="utf-8") as stream:
            rows = [{key: float(value) for key, value in row.items()} for row in csv.DictReader(stream)]
    except FileNotFoundError as error:
        raise ArtifactError(f"{path}: not found. Run: dvc repro train@{experiment}") from error
    except (ValueError, TypeError) as error:
        raise ArtifactError(f"{path}: damaged ({error}). {again}") from error
    if not rows:
        raise ArtifactError(f"{path}: no epochs in it. {again}")
    if "epoch" not in rows[0]:
        raise ArtifactError(f"{path}: damaged (columns {', '.join(rows[0])}, expected epoch). {again}")
    return rows
