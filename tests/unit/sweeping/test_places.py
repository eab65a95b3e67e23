"""Where workers run: what is missing or cannot be is said before anything begins; jobs of Ray and Slurm."""

import socket
import sys
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pipeline.config.sweep import SweepConfig
from pipeline.errors import ConfigError
from pipeline.layout import Layout
from pipeline.search import postgres
from pipeline.search.claimed import Claimed
from pipeline.search.postgres import NoAnswerError
from pipeline.search.study import Study
from pipeline.search.trial import Result
from pipeline.sweeping import jobs, on_ray, processes, trial, workers
from pipeline.sweeping.order import Order
from pipeline.sweeping.records import Records
from pipeline.sweeping.telling import Teller
from pipeline.sweeping.work import counted
from pipeline.tracking.sweep import read_jobs
from pipeline.tracking.sweep_job import FAILED, FINISHED
from tests.postgres import PASSWORD, Server
from tests.unit.search.simulated import plan_of, result_of_training


def claimed_from(study: Study) -> Claimed:
    claimed = study.claim()
    assert claimed is not None
    return claimed


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"on": "ray"}, "sweep.on: ray needs the package ray, which is not installed. Install it by"),
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
    teller = Teller(study, Layout(tmp_path))
    with pytest.raises(ConfigError, match=r"all workers have ended \(no memory; logs here\)\. Give the same command"):
        jobs.wait(study, [Fake("no memory"), Fake()], 0.0, teller, "logs here")
    with pytest.raises(ConfigError, match=r"all workers have ended \(no memory; logs here\)"):
        jobs.wait(study, [Fake("no memory")], time.time() + 600, teller, "logs here")
    for until in (time.time() - 1, time.time() + 600):  # the time is over, here or by the clocks of the workers
        jobs.wait(study, [Fake("no memory" if until < time.time() else "")], until, teller, "")
    queued = Fake(over=False)
    monkeypatch.setattr(jobs, "GRACE_SECONDS", 0.0)

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


def test_jobs_that_wait_for_their_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    study = Study.create_or_open(plan_of(trials=1), Layout(tmp_path))
    with claimed_from(study):
        pass  # a trial that was interrupted is nobody's
    queued, polls = Fake(over=False), list[float]()

    def sleep(seconds: float) -> None:
        polls.append(seconds)
        queued.over = len(polls) == 3

    monkeypatch.setattr(jobs, "QUEUE_SECONDS", 0.0)
    monkeypatch.setattr(jobs.time, "sleep", sleep)
    with pytest.raises(ConfigError, match="all workers have ended"):
        jobs.wait(study, [queued], 0.0, Teller(study, Layout(tmp_path)), "")
    assert capsys.readouterr().err == (
        "no worker has begun within 0 s: the jobs wait until there is room for them, or for what nobody has "
        "(sweep.resources)\n"
    )


@pytest.mark.parametrize(("listed", "expected"), [("0, 3", ["0", "3", "0"]), ("", ["", "", ""])])
def test_gpus_are_dealt_out(listed: str, expected: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", listed)
    assert [processes.gpu_of(number).get("CUDA_VISIBLE_DEVICES", "") for number in range(3)] == expected


class Ray:
    """What `on_ray` uses of Ray, in this process: a job runs when it is looked at."""

    exceptions = SimpleNamespace(RayError=RuntimeError)

    def __init__(self, cluster: str) -> None:
        self.cluster = cluster
        self.calls: list[Any] = []

    def init(self, address: str, **_: Any) -> None:
        if address != self.cluster:
            raise ConnectionError(f"no node at\n{address}.")

    def remote(self, function: Any) -> Any:
        def options(**given: Any) -> Any:
            if "num_gpu" in given:
                raise ValueError("Invalid option keyword num_gpu.")
            self.calls.append(given)
            return SimpleNamespace(remote=lambda *arguments: (function, arguments))

        return SimpleNamespace(options=options)

    def wait(self, references: list[Any], **_: Any) -> tuple[list[Any], list[Any]]:
        return references, []

    def get(self, reference: Any) -> Any:
        function, arguments = reference
        return function(*arguments)

    def shutdown(self) -> None:
        self.calls.append("shutdown")


def test_what_ray_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ray, orders = Ray("head:6379"), list[Any]()
    monkeypatch.setitem(sys.modules, "ray", ray)  # type: ignore[arg-type]
    monkeypatch.setattr(jobs, "GRACE_SECONDS", 0.0)

    def started(order: Order, layout: Layout, environment: Any) -> Any:
        orders.append((order, layout.root, environment))
        return SimpleNamespace(work=lambda: 7, stop=lambda: None)

    monkeypatch.setattr(on_ray, "Place", started)
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    plan = plan_of(trials=1)

    def start(**settings: Any) -> None:
        study = Study.create_or_open(replace(plan, settings=replace(plan.settings, on="ray", **settings)), layout)
        on_ray.start(study, layout, 0.0, Teller(study, layout))

    layout = Layout(tmp_path)
    with pytest.raises(ConfigError, match=r"^sweep.address: no Ray cluster at 'tail:1' \(no node at tail:1\)\."):
        start(address="tail:1")
    with pytest.raises(ConfigError, match=r"^sweep.resources: Invalid option keyword num_gpu\. Expected what Ray's"):
        start(address="head:6379", resources={"num_gpu": 1})
    monkeypatch.setenv("RAY_ADDRESS", "head:6379")
    with pytest.raises(ConfigError, match=r"all workers have ended \(its process ended with code 7; their output"):
        start(workers=2, resources={"num_gpus": 1})
    assert ray.calls == ["shutdown", {"num_cpus": 1, "name": "sweep", "num_gpus": 1}, "shutdown"]
    assert (Order("found", "", 0.0, 1), tmp_path, {"OMP_NUM_THREADS": "3"}) in orders


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

    def back_again(*_: Any) -> Result:
        postgres_server.control("--mode=immediate", "stop")
        threading.Timer(1.0, postgres_server.control, ["start"]).start()
        return Result(FINISHED, (0.5,))

    monkeypatch.setattr(trial, "_trained", trained)
    monkeypatch.setattr(postgres, "PATIENCE_SECONDS", 0.0)
    unchanged: Any = SimpleNamespace(check=lambda: None)
    try:
        with pytest.raises(NoAnswerError, match=r"^sweep.storage: postgresql:///.* does not answer \(") as caught:
            trial.run_trial(study.plan, claimed, Layout(tmp_path), unchanged)
    finally:
        postgres_server.control("start")
    assert PASSWORD not in str(caught.value)
    assert [job.status for job in read_jobs(tmp_path / "runs" / "sweeps" / "found")] == ["RUNNING"]
    again = study.claim()
    assert again is not None
    assert again.number == 0
    # one that is there again soon is waited for
    monkeypatch.setattr(trial, "_trained", back_again)
    monkeypatch.setattr(postgres, "PATIENCE_SECONDS", 60.0)
    trial.run_trial(study.plan, again, Layout(tmp_path), unchanged)
    assert study.done


def test_a_failure_elsewhere_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One of this machine says so itself."""
    for place, host, told in (("here", "this", False), ("here", "other", True), ("slurm", "this", True)):
        plan, layout = plan_of(name=f"{place}-{host}", trials=1, on=place), Layout(tmp_path)
        study = Study.create_or_open(plan, layout)
        teller, claimed = Teller(study, layout), study.claim()
        assert claimed is not None
        monkeypatch.setattr(socket, "gethostname", lambda host=host: host)
        claimed.finish(Result(FAILED, error="no memory", log="0/traceback.txt"))
        monkeypatch.setattr(socket, "gethostname", lambda: "this")
        teller.tell()
        said = capsys.readouterr().err
        overrides = " ".join([*plan.overrides, *claimed.overrides])
        traceback = layout.sweep(plan.name) / "0" / "traceback.txt"
        assert ("job 0 failed: no memory (worker " in said) == told
        assert (f"  with {overrides}; traceback on {host} in {traceback}\n" in said) == told


def test_records_of_other_machines_are_kept_while_the_search_goes_on(tmp_path: Path) -> None:
    """Also over several experiments, each in its own."""
    plan = replace(
        plan_of({"experiment": "cnn_digits,logistic_digits"}, sampler="random", trials=3),
        experiment="cnn_digits,logistic_digits",
    )
    study = Study.create_or_open(plan, Layout(tmp_path / "there"))
    layout = Layout(tmp_path / "here")
    folder, teller = layout.sweep(plan.name), Teller(study, layout)
    for number in range(2):
        claimed = claimed_from(study)
        assert [job.number for job in read_jobs(folder)] == list(range(number)), "none that still runs"
        claimed.finish(Result(FINISHED, (1.0 + number,), identity=f"made-{number}", started=5.0, seconds=1.5, epochs=4))
        teller.tell()
    jobs = read_jobs(folder)
    assert [(job.status, job.score, job.identity, job.ended, job.epochs) for job in jobs] == [
        (FINISHED, 1.0, "made-0", 6.5, 4),
        (FINISHED, 2.0, "made-1", 6.5, 4),
    ]
    assert [f"experiment={job.experiment}" for job in jobs] == [job.overrides[-1] for job in jobs]


def test_a_smaller_number_of_trials_than_have_ended_takes_none_away(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    study = Study.create_or_open(plan_of(trials=4), layout)
    for _ in range(4):
        claimed_from(study).finish(Result(FINISHED, (1.0,)))
    fewer = Study.create_or_open(plan_of(trials=2), layout)
    assert fewer.done
    Records(fewer, layout).keep()
    assert len(counted(fewer, read_jobs(layout.sweep("found")))) == 4
    assert Study.open("", "found", layout).of_trials(4).total == 4, "for a worker of the command that wants more"


def test_of_a_search_that_is_given_up_no_trial_counts_behind_its_end(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    study = Study.create_or_open(plan_of(trials=2, lag=4), layout)
    first, second = claimed_from(study), claimed_from(study)
    first.finish(Result(FAILED, error="no memory"))
    claimed_from(study).finish(Result(FINISHED, (1.0,)))
    assert not study.done
    second.finish(Result(FAILED, error="no memory"))
    assert study.progress().given_up
    Records(study, layout).keep()
    assert {job.number for job in counted(study, read_jobs(layout.sweep("found")))} == {0, 1}


def test_the_place_is_no_part_of_what_a_search_is(tmp_path: Path) -> None:
    plan = plan_of(trials=1)
    Study.create_or_open(plan, Layout(tmp_path))
    elsewhere = replace(plan.settings, on="slurm", workers=8, resources={"timeout_min": 5})
    Study.create_or_open(replace(plan, settings=elsewhere), Layout(tmp_path))
    Study.create_or_open(plan, Layout(tmp_path))
