"""Pictures of one experiment, as SVG whose bytes depend on what is drawn alone."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.data.history import EpochValues
from pipeline.data.prepared import Split
from pipeline.data.schema import Schema
from pipeline.files import replacing

Array = NDArray[np.float64]
MOST_POINTS = 2000  # of a scatter plot: a larger SVG opens slowly
MOST_NUMBERS = 15  # classes of a confusion matrix whose cells hold their counts
MOST_NAMES = 50  # of those whose axes are labelled by name, and not by number
NOT_DRAWN = ("epoch", "learning_rate")
SETTINGS: dict[Any, Any] = {
    "svg.hashsalt": "pipeline",  # else ids are random
    "svg.fonttype": "none",  # text stays text: a browser has the letters of every script
    "text.parse_math": False,  # a class may be called a$b$
    "font.size": 9.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


def write_plots(
    folder: Path, experiment: str, schema: Schema, history: list[EpochValues], test: Split, predicted: Array
) -> None:
    """Write history.svg, and confusion.svg of classes or residuals.svg of numbers."""
    from matplotlib import rc_context

    folder.mkdir(parents=True)
    with rc_context(SETTINGS):
        _save(draw_history(experiment, history), folder / "history.svg")
        if schema.classes:
            counts_KK = np.zeros((len(schema.classes), len(schema.classes)), np.int64)
            np.add.at(counts_KK, (test.target, predicted.argmax(axis=1)), 1)
            _save(draw_confusion(experiment, counts_KK, schema.classes), folder / "confusion.svg")
        else:
            residuals = test.target.astype(np.float64) - predicted
            _save(draw_residuals(experiment, predicted, residuals), folder / "residuals.svg")


def draw_history(experiment: str, history: list[EpochValues]) -> Any:
    """Training and validation of each measured value, over the epochs."""
    names = [name for name in history[0] if name not in NOT_DRAWN and not name.startswith("val_")]
    figure = _figure(4.2 * len(names), 3.0)
    epochs = [values["epoch"] for values in history]
    for name, axes in zip(names, np.atleast_1d(figure.subplots(1, len(names))), strict=True):
        for column, label in ((name, "training"), (f"val_{name}", "validation")):
            axes.plot(
                epochs, [values[column] for values in history], label=label, marker="." if len(epochs) == 1 else ""
            )
        axes.set(xlabel="epoch", title=f"{experiment}: {name}")
        axes.legend(frameon=False)
    return figure


def draw_residuals(experiment: str, predicted: Array, residuals: Array) -> Any:
    """What the model missed, over what it predicted; of many rows, evenly chosen ones."""
    chosen = np.linspace(0, len(predicted) - 1, min(MOST_POINTS, len(predicted))).astype(int)
    figure = _figure(4.6, 3.4)
    axes = figure.subplots()
    axes.scatter(predicted[chosen], residuals[chosen], s=9, alpha=0.7, linewidths=0)
    axes.axhline(0, color="black", linewidth=0.7)
    rows = (
        f"{len(chosen)} of {len(predicted)} test rows"
        if len(chosen) < len(predicted)
        else f"{len(predicted)} test rows"
    )
    axes.set(xlabel="predicted", ylabel="actual - predicted", title=f"{experiment}: {rows}")
    return figure


def draw_confusion(experiment: str, counts_KK: NDArray[np.int64], classes: list[str]) -> Any:
    """How many test rows of each class (a row) were taken for which (a column), coloured by their share of the row."""
    size = max(3.2, min(9.0, 0.4 * len(classes) + 1.4))
    figure = _figure(size + 0.4, size)
    axes = figure.subplots()
    shares_KK = counts_KK / np.maximum(counts_KK.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares_KK, cmap="Blues", vmin=0, vmax=1)
    if len(classes) <= MOST_NAMES:
        places = np.arange(len(classes))
        axes.set_xticks(places, classes, rotation=90 if max(map(len, classes)) > 3 else 0)
        axes.set_yticks(places, classes)
    if len(classes) <= MOST_NUMBERS:
        for i, j in zip(*np.nonzero(counts_KK), strict=True):
            ink = "white" if shares_KK[i, j] > 0.5 else "black"
            axes.text(j, i, str(counts_KK[i, j]), ha="center", va="center", color=ink)
    axes.set(xlabel="predicted", ylabel="actual", title=f"{experiment}: {counts_KK.sum()} test rows")
    return figure


def _figure(width: float, height: float) -> Any:
    """A figure of this size in inches; pyplot would keep it, and look for a display."""
    from matplotlib.figure import Figure

    return Figure((width, height), layout="constrained")


def _save(figure: Any, path: Path) -> None:
    with replacing(path) as temporary, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that its font, of which it takes the sizes, lacks a letter
        figure.savefig(temporary, format="svg", metadata={"Date": None, "Creator": None})
