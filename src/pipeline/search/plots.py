"""Plots of a sweep as SVG files, whose bytes depend only on what is drawn."""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pipeline.evaluation.plots import SETTINGS, new_figure, save_figure
from pipeline.search.axes import Axis, axes_of
from pipeline.search.visible import clipped, evenly, evenly_and_best, limit
from pipeline.tracking.ranking import front
from pipeline.tracking.sweep_job import FAILED, FINISHED, PRUNED, SweepJob
from pipeline.tracking.sweep_summary import goals_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_POINTS = 2000  # of a plot: a larger SVG opens slowly
MOST_LINES = 300  # of parallel coordinates, and points of each slice
MOST_KEYS = 12  # that have an axis of their own, the most important ones
COLUMNS = 3  # of slices
BLUE, ORANGE, GREY = "#3b6ea5", "#e08a2c", "#999999"
COLOURS = "viridis_r"  # dark is good
BESIDE: dict[str, Any] = {"textcoords": "offset points", "fontsize": 7}
LABEL_LENGTH = 40  # of a key, whose end tells more than its beginning


def write_plots(folder: Path, jobs: Sequence[SweepJob], important: Mapping[str, float]) -> list[Path]:
    """Write what there is to see of these jobs, which are sorted (`ranked`), and return the files in the order in which
    to look at them. `important` has the importance of each key, if it is known."""
    from matplotlib import rc_context

    finished = [job for job in jobs if job.status == FINISHED and job.scores]
    axes = sorted(axes_of(finished), key=lambda axis: -important.get(axis.key, 0.0))[:MOST_KEYS]
    goals = goals_of(list(jobs))
    drawings: dict[str, Callable[[], Figure]] = {}
    if finished:
        drawings |= {f"history_{goal}": partial(draw_history, jobs, i) for i, goal in enumerate(goals)}
    if important:
        drawings["importance"] = partial(draw_importance, important)
    if len(goals) > 1 and finished:
        drawings["pareto_front"] = partial(draw_front, finished, goals)
    if axes:
        drawings["parallel_coordinates"] = partial(draw_parallel, finished, axes)
        drawings |= {f"slices_{goal}": partial(draw_slices, finished, axes, i) for i, goal in enumerate(goals)}
    folder.mkdir(parents=True, exist_ok=True)
    with rc_context(SETTINGS):
        for name, draw in drawings.items():
            save_figure(draw(), folder / f"{name}.svg")
    return [folder / f"{name}.svg" for name in drawings]


def draw_history(jobs: Sequence[SweepJob], goal: int) -> "Figure":
    """The score of each job over its number, and the best score so far as a line."""
    name = goals_of(list(jobs))[goal]
    by_number = sorted(jobs, key=lambda job: job.number)
    figure = new_figure(7.2, 3.2)
    axes = figure.subplots()
    for status, colour, marker in ((FINISHED, BLUE, "o"), (PRUNED, ORANGE, "v")):
        known = [job for job in by_number if job.status == status and len(job.scores) > goal]
        some = evenly_and_best(known, MOST_POINTS, goal)
        if some:
            numbers, scores = [job.number for job in some], [job.scores[goal] for job in some]
            axes.scatter(numbers, scores, s=12, c=colour, marker=marker, linewidths=0, label=status.lower())
    if steps := best_so_far(by_number, goal):
        places, heights = zip(*steps, (by_number[-1].number, steps[-1][1]), strict=True)
        axes.step(places, heights, where="post", color="black", linewidth=1, label="best so far")
    failed = [job.number for job in by_number if job.status == FAILED]
    if failed:
        below: dict[str, Any] = {"transform": axes.get_xaxis_transform(), "clip_on": False}
        axes.scatter(failed, [0.0] * len(failed), s=16, c="black", marker="x", linewidths=1, label="failed", **below)
    beyond = limit(axes.set_ylim, np.array([job.scores[goal] for job in jobs if len(job.scores) > goal]), name)
    axes.set(xlabel=f"job{beyond}", ylabel=name)
    axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def best_so_far(by_number: Sequence[SweepJob], goal: int) -> list[tuple[int, float]]:
    """The numbers of the jobs that were better than all before them, with their scores."""
    steps, best = list[tuple[int, float]](), math.inf
    for job in by_number:
        if job.status == FINISHED and job.scores and not job.violation and job.losses[goal] < best:
            best = job.losses[goal]
            steps.append((job.number, job.scores[goal]))
    return steps


def draw_importance(important: Mapping[str, float]) -> "Figure":
    """A bar for each key, the most important one on top."""
    shown = list(important.items())[: 2 * MOST_KEYS][::-1]
    figure = new_figure(7.2, 0.7 + 0.24 * len(shown))
    axes = figure.subplots()
    bars = axes.barh([label_of(key) for key, _ in shown], [share for _, share in shown], color=BLUE, height=0.7)
    axes.bar_label(bars, [f"{100 * share:.0f} %" for _, share in shown], padding=3)
    axes.set(xlabel="importance", xlim=(0, 1.12 * max(share for _, share in shown) or 1))
    return figure


def draw_front(finished: Sequence[SweepJob], goals: Sequence[str]) -> "Figure":
    """For each pair of objectives, the finished jobs, and those of the Pareto front in another colour."""
    pairs = list(combinations(range(len(goals)), 2))[:COLUMNS]
    inside = {job.number for job in front(finished)}
    ahead = sorted((job for job in finished if job.number in inside), key=lambda job: job.losses)
    others = evenly([job for job in finished if job.number not in inside], MOST_POINTS)
    figure = new_figure(4.6 * len(pairs), 3.6)
    for axes, (i, k) in zip(np.atleast_1d(figure.subplots(1, len(pairs))), pairs, strict=True):
        axes.scatter([j.scores[i] for j in others], [j.scores[k] for j in others], s=12, c=GREY, linewidths=0)
        line = "-" if len(goals) == 2 else ""
        axes.plot([j.scores[i] for j in ahead], [j.scores[k] for j in ahead], f"{line}o", color=ORANGE, markersize=4)
        for job in ahead[:: math.ceil(len(ahead) / 20)]:
            axes.annotate(str(job.number), (job.scores[i], job.scores[k]), (3, 3), **BESIDE)
        axes.set(xlabel=goals[i], ylabel=goals[k])
    return figure


def draw_parallel(finished: Sequence[SweepJob], keys: Sequence[Axis]) -> "Figure":
    """A line for each job through its values of the keys to its score; a darker line is a better job. A line ends where
    a job does not have the next key."""
    from matplotlib import colormaps
    from matplotlib.collections import LineCollection

    goal = goals_of(list(finished))[0]
    scores = Axis(goal, np.array([job.scores[0] for job in finished]))
    drawn = [*keys, clipped(scores, goal)]
    places = np.column_stack([axis.shares for axis in drawn])
    ranks = ranks_of(finished)
    chosen = evenly(sorted(range(len(finished)), key=lambda i: ranks[i]), MOST_LINES)[::-1]
    lines = [[(x, y) for x, y in enumerate(places[i]) if y == y] for i in chosen]
    figure = new_figure(max(4.0, 1.25 * len(drawn)), 3.6)
    axes = figure.subplots()
    colours = [colormaps[COLOURS](1 - ranks[i]) for i in chosen]
    axes.add_collection(LineCollection(lines, colors=colours, linewidths=0.9, alpha=0.75))
    for x, axis in enumerate(drawn):
        axes.axvline(x, color="black", linewidth=0.7)
        low, high = axis.ends
        axes.text(x, -0.03, low, ha="center", va="top", fontsize=7)
        axes.text(x, 1.03, high, ha="center", va="bottom", fontsize=7)
    axes.set(xlim=(-0.3, len(drawn) - 0.7), ylim=(-0.1, 1.1), yticks=[])
    axes.set_xticks(range(len(drawn)), [label_of(axis.key) for axis in drawn], rotation=20, ha="right")
    axes.spines[["left", "bottom"]].set_visible(False)
    axes.tick_params(length=0)
    return figure


def draw_slices(finished: Sequence[SweepJob], keys: Sequence[Axis], goal: int) -> "Figure":
    """A chart for each key: the scores over the key's values. A darker point is a later job."""
    from matplotlib.ticker import NullFormatter

    name = goals_of(list(finished))[goal]
    numbers = np.array([job.number for job in finished])
    drawn = evenly_and_best([finished[i] for i in numbers.argsort()], MOST_LINES, goal)
    place = {job.number: i for i, job in enumerate(finished)}
    chosen = np.array([place[job.number] for job in drawn])
    scores = np.array([job.scores[goal] for job in finished])
    columns = min(COLUMNS, len(keys))
    rows = math.ceil(len(keys) / columns)
    figure = new_figure(3.4 * columns, 2.6 * rows)
    grid = np.atleast_1d(figure.subplots(rows, columns, sharey=True)).ravel()
    for axes, axis in zip(grid, keys, strict=False):
        colours: dict[str, Any] = {"c": numbers[chosen], "cmap": "Blues", "vmin": -numbers.max() / 3}
        axes.scatter(axis.places[chosen], scores[chosen], s=11, linewidths=0, **colours)
        if axis.log:
            axes.set_xscale("log")
            axes.xaxis.set_major_formatter("{x:g}")
            axes.xaxis.set_minor_formatter(NullFormatter())
        if axis.labels:
            axes.set_xticks(*axis.ticks, rotation=30, ha="right")
        axes.set_xlabel(label_of(axis.key))
    beyond = limit(grid[0].set_ylim, scores, name)
    for axes in grid[::columns][:rows]:
        axes.set_ylabel(f"{name}{beyond}")
    for axes in grid[len(keys) :]:
        axes.set_visible(False)
    return figure


def ranks_of(jobs: Sequence[SweepJob]) -> NDArray[np.float64]:
    """The rank (N,) of each job by its first objective, from 0, the best, to 1."""
    losses = np.array([job.losses[0] for job in jobs])
    order = np.searchsorted(np.sort(losses), losses)
    ranks: NDArray[np.float64] = order / max(1, order.max())
    return ranks


def label_of(key: str) -> str:
    return key if len(key) <= LABEL_LENGTH else f"…{key[1 - LABEL_LENGTH :]}"
