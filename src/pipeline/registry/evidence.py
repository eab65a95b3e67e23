"""The evidence that stands beside a model version: its scores by row, and the rows that it has learned from. With it, a
champion can be compared in any clone."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pipeline.data.prepared import ROW, read_table
from pipeline.data.schema import remedy
from pipeline.errors import ArtifactError
from pipeline.evaluation.units import UNIT
from pipeline.identity import read_identity
from pipeline.layout import (
    IDENTITY,
    MODEL,
    PREDICTIONS,
    REPORT,
    SCORES,
    TRAIN,
    VALIDATION,
    Layout,
    experiment_of,
    split_file,
)
from pipeline.tasks import TASKS
from pipeline.tasks.task import Task

if TYPE_CHECKING:
    from pipeline.evaluation.report import Report

FOLDER = "evidence"
LEARNED = "learned_rows.txt"


@dataclass(frozen=True)
class RowGains:
    """Per-row gains (N,), higher better, of `rows`; `measure` says what they are. `unit_N` is the number of each row's
    unit, where rows are not independent (evaluation/units.py)."""

    rows: list[str]
    gain: NDArray[np.float64]
    measure: str
    unit_N: NDArray[np.int64] | None = None

    @classmethod
    def of(
        cls, task: Task, rows: list[str], row_scores: NDArray[np.float64], unit_N: NDArray[np.int64] | None = None
    ) -> "RowGains":
        """From what a task compares models by."""
        return cls(rows, task.gain(row_scores), task.gain_unit, unit_N)


def check_outputs(layout: Layout, experiment: str) -> None:
    """Raise ArtifactError where a file is missing that train or evaluate should have written."""
    for stage, folder, names in (
        ("train", layout.trained(experiment), (MODEL, PREDICTIONS)),
        ("evaluate", layout.evaluated(experiment), (REPORT, SCORES)),
    ):
        for name in names:
            if not (folder / name).is_file():
                raise ArtifactError(f"{folder / name}: not found. Run: dvc repro {stage}@{experiment}")


def write_evidence(layout: Layout, experiment: str, folder: Path) -> None:
    """Copy an experiment's evidence into `folder`."""
    folder.mkdir(parents=True)
    trained, evaluated = layout.trained(experiment), layout.evaluated(experiment)
    for source in (trained / PREDICTIONS, trained / IDENTITY, evaluated / REPORT, evaluated / SCORES):
        (folder / source.name).write_bytes(source.read_bytes())
    prepared = layout.prepared(read_identity(trained)["dataset"])
    tables = [read_table(prepared / split_file(split), [ROW]) for split in (TRAIN, VALIDATION)]
    if any(ROW not in table.column_names for table in tables):
        raise ArtifactError(f"{prepared}: no '{ROW}' column in a split. {remedy(prepared, again=True)}")
    rows = {digest_of_row(row) for table in tables for row in table[ROW].to_pylist()}
    (folder / LEARNED).write_text("".join(f"{row}\n" for row in sorted(rows)), encoding="utf-8")


def has_evidence(folder: Path) -> bool:
    """Whether `folder` holds a version's evidence. A model that was registered by hand has none."""
    return all((folder / name).is_file() for name in (IDENTITY, SCORES, LEARNED))


def digest_of_row(row: str) -> str:
    """The digest in a row's id: without the `-n` that tells rows with equal inputs apart, equal rows share it."""
    return row.split("-")[0]


def read_gains(folder: Path) -> RowGains:
    """The scores of an evaluated experiment, or of a version's evidence."""
    table = read_table(folder / SCORES)
    task = next((task for task in TASKS.values() if task.row_score in table.column_names), None)
    if task is None:
        raise ArtifactError(
            f"{folder / SCORES}: found columns {', '.join(table.column_names)}, expected a row's score."
        )
    unit_N = table[UNIT].to_numpy() if UNIT in table.column_names else None
    return RowGains.of(task, table[ROW].to_pylist(), table[task.row_score].to_numpy(), unit_N)


def read_report(folder: Path) -> "Report":
    """report.json of an evaluated experiment."""
    path = folder / REPORT
    try:
        report: Report = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ArtifactError(
            f"{path}: not readable ({error}). Run: dvc repro -f evaluate@{experiment_of(folder)}"
        ) from error
    return report


def learned_rows(folder: Path) -> set[str]:
    """The digests of the rows that a version has learned from, of its evidence."""
    return set((folder / LEARNED).read_text(encoding="utf-8").split())
