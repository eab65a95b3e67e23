"""A sweep's records: ranking, table, and what becomes of a job that fails."""

import math
from pathlib import Path

import pytest

from pipeline.errors import DataError
from pipeline.files import write_json
from pipeline.tracking.ranking import front, ranked
from pipeline.tracking.sweep import keep_records, read_jobs
from pipeline.tracking.sweep_job import FAILED, FINISHED, PRUNED, RUNNING, SweepJob
from pipeline.tracking.sweep_summary import busy_seconds, duration, summary, table


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


def test_an_error_for_the_user_fails_its_job_and_a_bug_goes_on_up(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(job: SweepJob) -> float:
        raise DataError("no rows")

    assert math.isnan(SweepJob(tmp_path, 0, ["x=1", "y=2"]).run(fails))
    assert capsys.readouterr().err == (
        f"job 0 failed: no rows\n  with x=1 y=2; traceback in {tmp_path / '0' / 'traceback.txt'}\n"
    )
    assert "in fails" in (tmp_path / "0" / "traceback.txt").read_text()
    with pytest.raises(ZeroDivisionError):
        SweepJob(tmp_path, 1, []).run(lambda job: 1 / 0)
    assert [(job.status, job.error, job.score) for job in read_jobs(tmp_path)] == [
        ("FAILED", "no rows", None),
        ("FAILED", "ZeroDivisionError: division by zero", None),
    ]


def finished(number: int, *values: float, **more: object) -> SweepJob:
    """A job of a search for a small loss and a large accuracy, or for a small loss alone."""
    objectives = ["val_loss", "val_accuracy"][: len(values)]
    job = SweepJob(
        Path("s"), number, ["experiment=a", f"x={number}"], FINISHED, "a", f"a-{number}", "val_loss", values[0]
    )
    job.objectives, job.values, job.started, job.seconds = objectives, list(values), 100.0 + number, 2.0
    for key, value in more.items():
        setattr(job, key, value)
    return job


def test_the_front_comes_first_and_what_misses_a_constraint_after_all_others() -> None:
    jobs = [
        finished(0, 0.3, 0.9),
        finished(1, 0.1, 0.5),
        finished(2, 0.2, 0.4),
        finished(3, 0.01, 1.0, constraints=[0.5]),
    ]
    jobs += [
        finished(4, 0.1, 0.5),
        finished(5, 0.0, status=PRUNED),
        finished(6, 0.0, status=RUNNING, values=[], score=None),
    ]
    assert [job.number for job in front(jobs)] == [1, 4, 0]
    assert [job.number for job in ranked(jobs)] == [1, 4, 0, 2, 3, 5, 6]
    shown = summary(ranked(jobs)).splitlines()
    assert shown[1].split() == ["1", "*", "x=1", "0.100000", "0.500000", "a-1"]
    assert shown[4].split()[0:2] == ["2", "x=2"]
    assert "0.010000 (misses a constraint)" in shown[5]
    assert shown[-3] == "best val_accuracy: python -m pipeline.train experiment=a x=0"


def test_the_summary_says_what_became_of_the_jobs_and_how_to_get_the_best_one() -> None:
    jobs = [finished(0, 0.5), finished(1, 0.25), finished(2, 0.9, status=PRUNED, epochs=3)]
    jobs += [finished(i, 0.0, status=FAILED, score=None, values=[], error=f"reason {i}") for i in (4, 3)]
    assert summary(ranked(jobs)) == (
        "job  overrides  val_loss                        run\n"
        "1    x=1        0.250000                        a-1\n"
        "0    x=0        0.500000                        a-0\n"
        "2    x=2        pruned after epoch 3: 0.900000  a-2\n"
        "3    x=3        failed: reason 3                a-3\n"
        "4    x=4        failed: reason 4                a-4\n"
        "best: python -m pipeline.train experiment=a x=1\n"
        "5 jobs: 2 finished, 1 pruned, 2 failed; first 3: reason 3\n"
        "time: 6.0 s, 50 jobs a minute"
    )


def test_the_time_leaves_out_when_nothing_was_at_work() -> None:
    jobs = [finished(0, 0.5), finished(1, 0.5), finished(1000, 0.5)]
    assert busy_seconds(jobs) == 5.0
    assert [duration(seconds) for seconds in (5, 125, 11_220)] == ["5.0 s", "2 min 5 s", "3 h 7 min"]


def test_records_of_an_earlier_version_are_read_and_those_of_other_machines_are_kept(tmp_path: Path) -> None:
    old = {"number": 0, "overrides": ["seed=1"], "status": "FINISHED", "experiment": "a", "identity": "a-0"}
    write_json(tmp_path / "0" / "job.json", old | {"objective": "val_loss", "score": 0.5, "error": ""})
    begun, ended = finished(0, 0.1), finished(2, 0.1, worker="there:12")
    keep_records(tmp_path, [begun, finished(1, 0.0, status=RUNNING, values=[], score=None), ended])
    assert [(job.number, job.scores, job.status) for job in read_jobs(tmp_path)] == [
        (2, [0.1], FINISHED),
        (0, [0.5], FINISHED),
        (1, [], RUNNING),
    ]
    keep_records(tmp_path, [finished(1, 0.2)])
    assert [job.number for job in read_jobs(tmp_path)] == [2, 1, 0]
