"""Plots of one experiment as SVG files, whose bytes depend only on what is drawn."""

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pipeline.data.history import EpochValues
from pipeline.data.prepared import AnySplit
from pipeline.data.schema import Schema
from pipeline.files import replacing
from pipeline.tasks import TASKS
from pipeline.tasks.task import Target

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Array = NDArray[np.float64]
MOST_POINTS = 2000  # of a scatter plot: a larger SVG opens slowly
MOST_NUMBERS = 15  # classes of a confusion matrix whose cells hold their counts
MOST_NAMES = 50  # of those whose axes are labelled by name, and not by number
NOT_DRAWN = ("epoch", "learning_rate")
SETTINGS: dict[Any, Any] = {
    "svg.hashsalt": "pipeline",  # without a salt, the ids in the file are random
    "svg.fonttype": "none",  # text stays text, as a browser has the letters of every script
    "text.parse_math": False,  # a class may be called a$b$, which is no formula
    "font.size": 9.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


def write_plots(
    folder: Path, experiment: str, schema: Schema, history: list[EpochValues], test: AnySplit, predicted: Array
) -> None:
    """Write history.svg, and the task's plot of the test rows under its own name."""
    from matplotlib import rc_context

    plot = TASKS[schema.task].plot
    folder.mkdir(parents=True)
    with rc_context(SETTINGS):
        save_figure(draw_history(experiment, history), folder / "history.svg")
        save_figure(TEST_PLOTS[plot](experiment, test.target, predicted, schema.classes), folder / f"{plot}.svg")


def draw_history(experiment: str, history: list[EpochValues]) -> "Figure":
    """A chart for each measured value, with a line for training and one for validation over the epochs."""
    names = [name for name in history[0] if name not in NOT_DRAWN and not name.startswith("val_")]
    figure = new_figure(4.2 * len(names), 3.0)
    epochs = [values["epoch"] for values in history]
    for name, axes in zip(names, np.atleast_1d(figure.subplots(1, len(names))), strict=True):
        for column, label in ((name, "training"), (f"val_{name}", "validation")):
            axes.plot(
                epochs, [values[column] for values in history], label=label, marker="." if len(epochs) == 1 else ""
            )
        axes.set(xlabel="epoch", title=f"{experiment}: {name}")
        axes.legend(frameon=False)
    return figure


def write_learning_curve(path: Path, curve: dict[str, Any]) -> None:
    """Write a chart of the content of learning_curve.json: each score over its number of training rows as a point, and
    their means as a line."""
    from matplotlib import rc_context

    rows = [point["rows"] for point in curve["points"]]
    with rc_context(SETTINGS):
        figure = new_figure(4.6, 3.4)
        axes = figure.subplots()
        axes.plot(rows, [np.mean(point["scores"]) for point in curve["points"]])
        for point in curve["points"]:
            places = [point["rows"]] * len(point["scores"])
            axes.scatter(places, point["scores"], s=9, alpha=0.7, linewidths=0, color="black")
        axes.set_xscale("log", base=2)
        axes.set_xticks(rows, [f"{number:,}" for number in rows])
        label = f"{curve['metric']} of {curve['test_rows']:,} test rows"
        axes.set(xlabel="training rows", ylabel=label, title=curve["experiment"])
        save_figure(figure, path)


def draw_residuals(experiment: str, target: Target, predicted: Array, classes: list[str]) -> "Figure":
    """The residuals over the predictions. Of more than MOST_POINTS rows, it shows that many, chosen evenly."""
    residuals = target.astype(np.float64) - predicted
    chosen = np.linspace(0, len(predicted) - 1, min(MOST_POINTS, len(predicted))).astype(int)
    figure = new_figure(4.6, 3.4)
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


def draw_confusion(experiment: str, target: Target, predicted: Array, classes: list[str]) -> "Figure":
    """The confusion matrix: a row for each actual class, a column for each predicted one, and the number of test rows
    in each cell, which is coloured by its share of its row."""
    counts_KK = np.zeros((len(classes), len(classes)), np.int64)
    np.add.at(counts_KK, (target.astype(np.int64), predicted.argmax(axis=1)), 1)
    size = max(3.2, min(9.0, 0.4 * len(classes) + 1.4))
    figure = new_figure(size + 0.4, size)
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


TEST_PLOTS = {"confusion": draw_confusion, "residuals": draw_residuals}


def new_figure(width: float, height: float) -> "Figure":
    """A figure of this size in inches. It is made without pyplot, which would keep it and look for a display."""
    from matplotlib.figure import Figure

    return Figure((width, height), layout="constrained")


def save_figure(figure: "Figure", path: Path) -> None:
    """Write an SVG file whose bytes depend only on what is drawn. SETTINGS must be in force."""
    with replacing(path) as temporary, warnings.catch_warnings():
        # Matplotlib warns where its own font lacks a letter, but it takes only the sizes of letters from that font.
        warnings.simplefilter("ignore")
        figure.savefig(temporary, format="svg", metadata={"Date": None, "Creator": None})
