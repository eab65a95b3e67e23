"""What a training leaves behind: the served model, and its answers to the raw test rows."""

from pathlib import Path
from typing import Any

from pipeline.data.prepared import AnySplit
from pipeline.layout import MODEL, PREDICTIONS
from pipeline.serving.batch import predict, write_predictions
from pipeline.serving.export import load_served, save_canonical


def package(served: Any, test: AnySplit, folder: Path) -> None:
    """Save `served`, and write the predictions of the model as loaded again from that very file."""
    save_canonical(served, folder / MODEL)
    loaded = load_served(folder / MODEL)
    write_predictions(folder / PREDICTIONS, ((chunk.rows, predict(loaded, chunk.inputs)) for chunk in test.chunks()))
