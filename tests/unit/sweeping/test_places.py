"""Where workers run: what is missing or cannot be is said before anything begins; jobs of Ray and Slurm."""

from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pipeline.config.sweep import SweepConfig
from pipeline.errors import ConfigError
from pipeline.layout import Layout
from pipeline.search.postgres import NoAnswerError
from pipeline.search.study import Study
from pipeline.sweeping import jobs, on_slurm, trial, workers
from pipeline.sweeping.on_slurm import STORAGE, Task, storage_in_environment
from pipeline.sweeping.processes import Order
from pipeline.sweeping.telling import Teller
from pipeline.tracking.sweep import read_jobs
from tests.postgres import PASSWORD, Server
from tests.unit.search.simulated import plan_of, result_of_training


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"on": "ray"}, "sweep.on: ray needs the package ray, which is not installed. Install it with the versions of"),
        ({"on": "slurm"}, "sweep.on: slurm needs the package submitit, which is not installed."),
        ({"address": "here:1"}, "sweep.address: found here:1, expected none with sweep.on=here."),
        ({"resources": {"num_gpus": 1}}, "sweep.resources: found {'num_gpus': 1}, expected none with sweep.on=here."),
    ],
)
def test_places_that_are_not_there(settings: dict[str, Any], message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "find_spec", lambda name: None)
    with pytest.raises(ConfigError) as caught:
        workers.check_place(SweepConfig(**settings))
    assert str(caught.value).startswith(message)


def test_what_submitit_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("submitit")
    monkeypatch.setenv("PATH", str(tmp_path))
    for address, resources, message in (
        ("", {}, r"^sweep.on: Could not detect .*sbatch.*sweep.address=local runs the jobs on this machine\."),
        ("local", {"timeout": 3}, r"^sweep.resources: .*timeout.* Expected what submitit's update_parameters takes\."),
    ):
        with pytest.raises(ConfigError, match=message):
            on_slurm.new_executor(tmp_path, address, resources)
    with pytest.raises(ConfigError, match="found 'node7', expected nothing or local with"):
        on_slurm.check_address("node7")


def test_a_job_that_slurm_takes_the_place_of_goes_on_in_another(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("submitit")
    told: list[Any] = []

    def started(order: Order, root: Path) -> Any:
        told.append((order, root))
        return SimpleNamespace(wait=lambda: 0, stop=lambda: told.append("stopped"))

    monkeypatch.setattr(on_slurm, "Worker", started)
    task = Task("/checkout", "found", 0.0)
    with pytest.raises(ConfigError, match="must pass the environment on to its jobs"):
        task()
    address = f"postgresql://me:{PASSWORD}@host/db"
    with storage_in_environment(address):
        assert task() == 0
    assert told == [(Order("found", address, 0.0), Path("/checkout")), "stopped"]
    again = task.checkpoint()
    assert told[2:] == ["stopped"]
    assert again.function == Task("/checkout", "found", 0.0)
    assert again.function.worker is None, "a process cannot be kept in a file"
    assert PASSWORD not in repr((told, task))
    with pytest.raises(KeyError):
        monkeypatch.delenv(STORAGE)


@dataclass
class Fake:
    said: str = ""
    over: bool = True
    cancelled: bool = False

    def ended(self) -> bool:
        return self.over

    def trouble(self) -> str:
        return self.said

    def cancel(self) -> None:
        self.cancelled = True


def test_jobs_that_end_too_soon_and_jobs_that_are_not_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    study = Study.create_or_open(plan_of(trials=1), Layout(tmp_path))
    teller = Teller(study)
    with pytest.raises(ConfigError, match=r"all workers have ended \(no memory; logs here\)\. Give the same command"):
        jobs.wait(study, [Fake("no memory"), Fake()], 0.0, teller, "logs here")
    queued = Fake(over=False)

    def interrupted(seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(jobs.time, "sleep", interrupted)
    with pytest.raises(KeyboardInterrupt):
        jobs.wait(study, [queued], 0.0, teller, "")
    assert queued.cancelled
    claimed = study.claim()
    assert claimed is not None
    claimed.finish(result_of_training(study.plan, claimed.overrides, 0))
    queued = Fake(over=False)
    jobs.wait(study, [queued], 0.0, teller, "")
    assert queued.cancelled


def test_a_server_that_goes_away_fails_no_trial(
    postgres_server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = postgres_server.new_database()
    study = Study.create_or_open(plan_of(trials=1, storage=address), Layout(tmp_path))
    claimed = study.claim()
    assert claimed is not None

    def trained(*_: Any) -> Any:
        postgres_server.control("--mode=immediate", "stop")
        return study.claim()

    monkeypatch.setattr(trial, "_trained", trained)
    try:
        with pytest.raises(NoAnswerError, match=r"^sweep.storage: postgresql:///.* does not answer \(") as caught:
            trial.run_trial(study.plan, claimed, Layout(tmp_path))
    finally:
        postgres_server.control("start")
    assert PASSWORD not in str(caught.value)
    assert [job.status for job in read_jobs(tmp_path / "runs" / "sweeps" / "found")] == ["RUNNING"]
    again = study.claim()
    assert again is not None
    assert again.number == 0


def test_the_place_is_no_part_of_what_a_search_is(tmp_path: Path) -> None:
    plan = plan_of(trials=1)
    Study.create_or_open(plan, Layout(tmp_path))
    elsewhere = replace(plan.settings, on="slurm", workers=9, resources={"timeout_min": 5})
    Study.create_or_open(replace(plan, settings=elsewhere), Layout(tmp_path))
    Study.create_or_open(plan, Layout(tmp_path))
