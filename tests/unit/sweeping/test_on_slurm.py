"""Jobs of Slurm, through submitit: what is refused, what goes on in another job, and what the same command submits."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pipeline.errors import ConfigError
from pipeline.layout import Layout
from pipeline.search.study import Study
from pipeline.sweeping import jobs, on_slurm
from pipeline.sweeping.on_slurm import STORAGE, Task, storage_in_environment
from pipeline.sweeping.order import Order
from pipeline.sweeping.telling import Teller
from tests.postgres import PASSWORD
from tests.unit.search.simulated import plan_of


def test_what_submitit_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("submitit")
    monkeypatch.setenv("PATH", str(tmp_path))
    for address, resources, message in (
        ("", {}, r"^sweep.on: no Slurm here \(.*srun.*\)\. sweep.address=local runs the jobs here\.$"),
        ("local", {"timeout": 3}, r"^sweep.resources: .*timeout.* Expected what submitit's update_parameters takes\."),
    ):
        with pytest.raises(ConfigError, match=message):
            on_slurm.new_executor(tmp_path, address, resources)
    with pytest.raises(ConfigError, match="found 'node7', expected nothing or local with"):
        on_slurm.check_address("node7")


def test_a_job_that_slurm_takes_the_place_of_goes_on_in_another(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("submitit")
    told: list[Any] = []

    def started(order: Order, layout: Layout, environment: Any) -> Any:
        told.append((order, layout.root))
        return SimpleNamespace(work=lambda: 0, stop=lambda: told.append("stopped"))

    monkeypatch.setattr(on_slurm, "Place", started)
    task = Task("/checkout", "found", 0.0, 5)
    with pytest.raises(ConfigError, match="must pass the environment on to its jobs"):
        task()
    address = f"postgresql://me:{PASSWORD}@host/db"
    with storage_in_environment(address):
        assert task() == 0
    assert told == [(Order("found", address, 0.0, 5), Path("/checkout")), "stopped"]
    again = task.checkpoint()
    assert told[2:] == ["stopped"]
    assert again.function == Task("/checkout", "found", 0.0, 5)
    assert again.function.place is None, "a process cannot be kept in a file"
    assert PASSWORD not in repr((told, task))
    with pytest.raises(KeyError):
        monkeypatch.delenv(STORAGE)


class Slurm:
    """A Slurm of which there are only the commands that submitit calls. It runs no job."""

    def __init__(self, folder: Path) -> None:
        self.jobs, self.cancelled = folder / "jobs", folder / "cancelled"
        self.jobs.touch()
        self.cancelled.touch()
        sbatch = f'id=$(($(wc -l < {self.jobs}) + 1)); echo "$id|PENDING|" >> {self.jobs}; echo "job $id"'
        for name, script in {
            "srun": "",
            "sbatch": sbatch,
            "sacct": f"echo 'JobID|State|NodeList'; cat {self.jobs}",
            "scancel": f"echo $1 >> {self.cancelled}",
        }.items():
            (folder / name).write_text(f"#!/bin/sh\n{script}\n")
            (folder / name).chmod(0o755)

    def state(self, number: int, state: str) -> None:
        lines = self.jobs.read_text().splitlines()
        lines[number - 1] = f"{number}|{state}|"
        self.jobs.write_text("\n".join(lines) + "\n")


def test_the_same_command_again_submits_only_the_jobs_that_are_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    submitit = pytest.importorskip("submitit")
    slurm, layout = Slurm(tmp_path), Layout(tmp_path)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(submitit.SlurmJob, "watcher", type(submitit.SlurmJob.watcher)())
    plan, found = plan_of(trials=1, on="slurm"), list[list[tuple[str, bool]]]()

    def waits(study: Study, given: Any, *_: Any) -> None:
        found.append([(job.job.job_id, job.to_be_ended) for job in given])
        if len(found) == 3:
            start(workers=3)

    def start(**settings: Any) -> None:
        submitit.SlurmJob.watcher.clear()
        study = Study.create_or_open(replace(plan, settings=replace(plan.settings, **settings)), layout)
        on_slurm.start(study, layout, 0.0, Teller(study, layout))

    monkeypatch.setattr(jobs, "wait", waits)
    start(workers=2)
    slurm.state(1, "RUNNING")
    slurm.state(2, "CANCELLED by 7")
    start(workers=2)  # the first command was killed
    start(workers=1)  # and here another command is given besides, which leaves its jobs alone
    assert found == [
        [("1", True), ("2", True)],
        [("1", True), ("3", True)],
        [("1", True), ("3", True)],
        [("1", False), ("3", False), ("4", True)],
    ]
    start(workers=2, trials=5)  # the others would end too soon
    assert found[-1] == [("5", True), ("6", True)]
    alive, ended = (on_slurm.SlurmJob(submitit.SlurmJob(tmp_path, "1"), to_be_ended) for to_be_ended in (False, True))
    alive.cancel()
    assert not slurm.cancelled.read_text()
    ended.cancel()
    assert slurm.cancelled.read_text() == "1\n"


def test_where_slurm_refuses_one_job_none_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("submitit")
    submitted: list[SimpleNamespace] = []

    def submit(executor: Any, task: Any) -> Any:
        if len(submitted) == 2:
            raise ConfigError("sweep.on: Slurm does not take the job")
        job = SimpleNamespace(job_id=f"47{len(submitted)}", cancelled=False)
        job.cancel = lambda: setattr(job, "cancelled", True)
        submitted.append(job)
        return job

    monkeypatch.setattr(on_slurm, "submit", submit)
    executor: Any = None
    with pytest.raises(ConfigError):
        on_slurm.submit_all(executor, Task("/checkout", "found", 0.0, 5), 3)
    assert [job.cancelled for job in submitted] == [True, True]
    submitted.clear()
    assert len(on_slurm.submit_all(executor, Task("/checkout", "found", 0.0, 5), 2)) == 2
    assert capsys.readouterr().out == "jobs submitted: 470, 471\n"
