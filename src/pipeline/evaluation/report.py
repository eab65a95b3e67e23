"""report.json, and the part of it that DVC compares."""

from typing import Any, NotRequired, TypedDict, cast

import numpy as np
from numpy.typing import NDArray

from pipeline.config import EvaluationConfig
from pipeline.data.prepared import AnySplit, Split
from pipeline.data.sampling import sample
from pipeline.data.schema import Schema
from pipeline.evaluation.intervals import intervals
from pipeline.evaluation.reference import BASELINES, REFERENCES
from pipeline.evaluation.units import Units, least_units, too_few
from pipeline.tasks import TASKS
from pipeline.tasks.scores import estimates
from pipeline.tasks.task import Target, Task

Array = NDArray[np.float64]
DIGITS = 6


class Report(TypedDict):
    """The content of report.json.

    `test` holds each metric's `value`, `low` and `high`, of which the last two are left out where there is no interval.
    `resampled` says by what the intervals were made, where rows are not independent. Each of `references`, and
    `baseline`, holds the name of a model under `model`, and beside it the value of each metric; a reference says under
    `training_rows` how many of the `of_rows` training rows it has learned from. `best_possible` holds metrics that no
    model can exceed, where they are known by the way in which the rows are made. `per_class` is there for tasks with
    classes.
    """

    experiment: str
    dataset: str
    task: str
    split: str
    rows: int
    primary: str
    confidence: float
    test: dict[str, dict[str, float]]
    resampled: NotRequired[str]
    references: list[dict[str, Any]]
    baseline: dict[str, Any]
    best_possible: NotRequired[dict[str, float]]
    per_class: NotRequired[dict[str, dict[str, float]]]


def build_report(
    experiment: str,
    config: EvaluationConfig,
    schema: Schema,
    train: Split,
    target: Target,
    test: AnySplit,
    predicted: Array,
    best_possible: dict[str, float],
    units: Units | None = None,
) -> Report:
    """The content of report.json. Numbers are rounded to six digits, because the last bits of a sum depend on the
    processor.

    `train` holds the rows that the references learn from, and `target` the target of all training rows. `units` are
    those of the test rows, where these are not independent.
    """
    task = TASKS[schema.task]
    found = intervals(task.scores(test.target, predicted), task.metrics, config, units)
    report: dict[str, Any] = {
        "experiment": experiment,
        "dataset": schema.dataset,
        "task": schema.task,
        "split": schema.split,
        "rows": test.num_rows,
        "primary": task.primary,
        "confidence": config.confidence,
        "test": {name: interval.to_json() for name, interval in found.items()},
    }
    if units is not None:
        report["resampled"] = resampled_by(units, config)
    report["references"] = _references(task, schema, train, test, len(target))
    guess = BASELINES[task.baseline](target, len(schema.classes), test.num_rows)
    report["baseline"] = {"model": task.baseline, **estimates(task.scores(test.target, guess))}
    if best_possible:
        report["best_possible"] = best_possible
    report |= task.report_parts(test.target, predicted, schema.classes)
    return cast(Report, rounded(report))


def resampled_by(units: Units, config: EvaluationConfig) -> str:
    """In words, by what intervals were made, or why there are none."""
    tail = (1 - config.confidence) / 2
    if too_few(units, tail):
        return f"no interval: {units.words}, expected {least_units(tail)} or more"
    return f"resampled by {units.words}"


def shown(scored: dict[str, float]) -> str:
    """A score with its interval, if it has one."""
    ends = f" [{scored['low']:.4f}, {scored['high']:.4f}]" if "low" in scored else ""
    return f"{scored['value']:.4f}{ends}"


def _references(task: Task, schema: Schema, train: Split, test: AnySplit, of_rows: int) -> list[dict[str, Any]]:
    found = []
    for name in task.references:
        reference = REFERENCES[name]
        if most := reference.most_rows(schema):
            seen = train if train.num_rows <= most else sample(train, most)
            scores = estimates(task.scores(test.target, reference.answers(schema, seen, test)))
            found.append({"model": name, "training_rows": seen.num_rows, "of_rows": of_rows, **scores})
    return found


def best_reference(report: Report) -> float:
    """The primary metric of the best reference."""
    name = report["primary"]
    best = max if TASKS[report["task"]].metrics[name].higher_is_better else min
    return float(best(reference[name] for reference in report["references"]))


def comparable(report: Report) -> dict[str, float]:
    """The content of metrics.json, which DVC compares: the primary metric's value and interval, under the same names
    for all tasks."""
    names = {"value": "score", "low": "low", "high": "high"}
    return {names[key]: number for key, number in report["test"][report["primary"]].items()}


def rounded(value: object) -> object:
    """The same value, its numbers with six digits."""
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [rounded(item) for item in value]
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value
