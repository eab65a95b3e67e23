"""What a training leaves behind: the served model, and its answers to the raw test rows."""

from pathlib import Path
from typing import Any

from pipeline.data.prepared import Split
from pipeline.layout import MODEL, PREDICTIONS
from pipeline.serving.batch import predict, write_predictions
from pipeline.serving.export import load_served, save_canonical


def package(served: Any, test: Split, folder: Path) -> None:
    """Save `served`, and write the predictions of the model as loaded again from that very file."""
    save_canonical(served, folder / MODEL)
    write_predictions(folder / PREDICTIONS, test.rows, predict(load_served(folder / MODEL), test.inputs))
