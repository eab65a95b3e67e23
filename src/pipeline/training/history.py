"""history.csv: one row for each epoch."""

import csv
import io
import math
from pathlib import Path

from pipeline.errors import ArtifactError
from pipeline.files import write_text
from pipeline.training.job import EpochValues


def write_history(path: Path, epochs: list[EpochValues]) -> None:
    """Write each epoch's values, epoch numbers from 1; floats in full, so that reading gives the same bits."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, ["epoch", *epochs[0]], lineterminator="\n")
    writer.writeheader()
    for number, values in enumerate(epochs, start=1):
        writer.writerow({"epoch": number, **values})
    write_text(path, stream.getvalue())


def check_finite(epoch: int, values: EpochValues) -> None:
    """Raise ArtifactError once the loss is not a number any more; training on would only waste time."""
    for name in ("loss", "val_loss"):
        if not math.isfinite(values[name]):
            raise ArtifactError(
                f"{name} is {values[name]} in epoch {epoch} at learning rate {values['learning_rate']:g}. Try a "
                "smaller trainer.optimizer.learning_rate, or trainer.optimizer.clip_norm=1."
            )
