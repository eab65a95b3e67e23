"""report.json, and what of it DVC compares."""

from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.config import REGRESSION, EvaluationConfig
from pipeline.data.prepared import Split
from pipeline.data.schema import Schema
from pipeline.evaluation.intervals import Scored, estimates, intervals
from pipeline.evaluation.metrics import per_class, regression_metrics, scored_classes
from pipeline.evaluation.reference import baseline, reference

Array = NDArray[np.float64]
DIGITS = 6


def scored(schema: Schema, target: NDArray[Any], predicted: Array) -> Scored:
    """The task's metrics as functions of row weights; `predicted` is (N,) or (N, K)."""
    if schema.task == REGRESSION:
        return Scored(len(target), regression_metrics(target.astype(np.float64), predicted))
    return scored_classes(target.astype(np.int64), predicted)


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
    found = intervals(scored(schema, test.target, predicted), config)
    report: dict[str, Any] = {
        "experiment": experiment,
        "dataset": schema.dataset,
        "task": schema.task,
        "split": schema.split,
        "rows": test.num_rows,
        "primary": "r2" if schema.task == REGRESSION else "accuracy",
        "confidence": config.confidence,
        "test": {name: asdict(interval) for name, interval in found.items()},
    }
    name, answer = reference(schema, train, test)
    report["reference"] = {"model": name, "training_rows": train.num_rows, "of_rows": len(target)}
    report["reference"] |= estimates(scored(schema, test.target, answer))
    name, answer = baseline(schema, target, test.num_rows)
    report["baseline"] = {"model": name, **estimates(scored(schema, test.target, answer))}
    if schema.task != REGRESSION:
        report["per_class"] = per_class(test.target, predicted.argmax(axis=1), schema.classes)
    rounded: dict[str, Any] = _rounded(report)
    return rounded


def row_scores(schema: Schema, test: Split, predicted: Array) -> tuple[str, Array]:
    """Name and values (N,) of what two models are compared by, row by row: squared error, or right 1, wrong 0."""
    if schema.task == REGRESSION:
        return "error", (predicted - test.target.astype(np.float64)) ** 2
    return "correct", (predicted.argmax(axis=1) == test.target).astype(np.float64)


def comparable(report: dict[str, Any]) -> dict[str, float]:
    """The content of metrics.json, which DVC compares: the primary metric's value and interval, named alike for all."""
    primary = report["test"][report["primary"]]
    return {"score": primary["value"], "low": primary["low"], "high": primary["high"]}


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value
