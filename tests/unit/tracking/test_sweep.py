"""A sweep's records: ranking, table, and what becomes of a job that fails."""

import math
from pathlib import Path

import pytest

from pipeline.errors import DataError
from pipeline.tracking.sweep import SweepJob, read_jobs
from pipeline.tracking.sweep_summary import table


def record(folder: Path, number: int, objective: str, score: float | None) -> None:
    overrides = ["experiment=a", f"seed={number}"]
    SweepJob(folder, number, overrides, "FINISHED", "a", f"a-{number}", objective, score).save()


@pytest.mark.parametrize(("objective", "best"), [("val_loss", [1, 0, 2]), ("val_accuracy", [0, 1, 2])])
def test_best_first_and_failed_last(objective: str, best: list[int], tmp_path: Path) -> None:
    for number, score in enumerate((0.5, 0.25, None)):
        record(tmp_path, number, objective, score)
    assert [job.number for job in read_jobs(tmp_path)] == best


def test_the_table_shows_what_differs(tmp_path: Path) -> None:
    record(tmp_path, 0, "val_loss", 0.5)
    record(tmp_path, 1, "val_loss", 0.25)
    assert table(read_jobs(tmp_path)) == (
        "job  overrides  val_loss  run\n1    seed=1     0.250000  a-1\n0    seed=0     0.500000  a-0"
    )


def test_an_error_for_the_user_fails_its_job_and_a_bug_goes_on_up(tmp_path: Path) -> None:
    def fails(job: SweepJob) -> float:
        raise DataError("no rows")

    assert math.isnan(SweepJob(tmp_path, 0, []).run(fails))
    with pytest.raises(ZeroDivisionError):
        SweepJob(tmp_path, 1, []).run(lambda job: 1 / 0)
    assert [(job.status, job.error, job.score) for job in read_jobs(tmp_path)] == [
        ("FAILED", "no rows", None),
        ("FAILED", "ZeroDivisionError: division by zero", None),
    ]
