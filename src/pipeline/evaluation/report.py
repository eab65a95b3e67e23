"""report.json, and what of it DVC compares."""

from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.config import EvaluationConfig
from pipeline.data.prepared import Split
from pipeline.data.schema import Schema
from pipeline.evaluation.intervals import intervals
from pipeline.evaluation.reference import reference
from pipeline.tasks import TASKS
from pipeline.tasks.scores import estimates

Array = NDArray[np.float64]
DIGITS = 6


def build_report(
    experiment: str,
    config: EvaluationConfig,
    schema: Schema,
    train: Split,
    target: NDArray[Any],
    test: Split,
    predicted: Array,
) -> dict[str, Any]:
    """The content of report.json, rounded to six digits: the last bits of a sum are the processor's.

    `train` are the rows that the reference learns from, `target` is that of all training rows.
    """
    task = TASKS[schema.task]
    found = intervals(task.scores(test.target, predicted), task.metrics, config)
    report: dict[str, Any] = {
        "experiment": experiment,
        "dataset": schema.dataset,
        "task": schema.task,
        "split": schema.split,
        "rows": test.num_rows,
        "primary": task.primary,
        "confidence": config.confidence,
        "test": {name: asdict(interval) for name, interval in found.items()},
    }
    name, answer = reference(schema, train, test)
    report["reference"] = {"model": name, "training_rows": train.num_rows, "of_rows": len(target)}
    report["reference"] |= estimates(task.scores(test.target, answer))
    name, answer = task.baseline(target, len(schema.classes), test.num_rows)
    report["baseline"] = {"model": name, **estimates(task.scores(test.target, answer))}
    report |= task.report_parts(test.target, predicted, schema.classes)
    rounded: dict[str, Any] = _rounded(report)
    return rounded


def comparable(report: dict[str, Any]) -> dict[str, float]:
    """The content of metrics.json, which DVC compares: the primary metric's value and interval, named alike for all."""
    primary = report["test"][report["primary"]]
    return {"score": primary["value"], "low": primary["low"], "high": primary["high"]}


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value
