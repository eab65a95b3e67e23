"""Workers that die are replaced; a trial in which they die again and again, without an epoch more, has failed."""

import json
import os
import socket
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pipeline.errors import ConfigError
from pipeline.layout import JOURNAL, Layout
from pipeline.search.study import Study
from pipeline.search.trial import Result
from pipeline.sweeping import processes, trial
from pipeline.sweeping.deaths import MOST_DEATHS, Deaths, was_cut_off
from pipeline.sweeping.order import Order
from pipeline.sweeping.processes import Place
from pipeline.tracking.sweep import read_jobs
from pipeline.tracking.sweep_job import FAILED, FINISHED, RUNNING
from tests.unit.search.simulated import plan_of

UNCHANGED: Any = SimpleNamespace(check=lambda: None)


class Died(BaseException):
    """As sudden as a signal."""


def begun(layout: Layout) -> Study:
    return Study.create_or_open(plan_of(trials=1), layout)


def trained(layout: Layout, study: Study, monkeypatch: pytest.MonkeyPatch, epochs: int, end: BaseException) -> None:
    """Begin the first trial, which has so many epochs when this `end` comes, and no time to note it if it `Died`."""

    def training(plan: Any, claimed: Any, layout: Layout, job: Any) -> Result:
        job.identity = "made-1"
        job.save()
        folder = layout.run("made-1")
        folder.mkdir(parents=True, exist_ok=True)
        records = [json.dumps({"type": "metrics", "time": 0, "epoch": i, "values": {}}) for i in range(epochs)]
        (folder / JOURNAL).write_text("".join(f"{record}\n" for record in records))
        if isinstance(end, Died):
            monkeypatch.setattr(type(job), "save", lambda self: None)
        raise end

    save = trial.SweepJob.save
    monkeypatch.setattr(trial, "_trained", training)
    claimed = study.claim()
    assert claimed is not None
    try:
        with claimed:
            trial.run_trial(study.plan, claimed, layout, UNCHANGED)
    except type(end):
        pass
    finally:
        monkeypatch.setattr(trial.SweepJob, "save", save)


def test_a_trial_fails_where_workers_die_again_and_again_without_an_epoch_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    layout = Layout(tmp_path)
    study = begun(layout)
    for epochs in range(1, 2 * MOST_DEATHS):
        trained(layout, study, monkeypatch, epochs, Died())
    assert was_cut_off(study, layout)
    for _ in range(MOST_DEATHS):
        trained(layout, study, monkeypatch, epochs, KeyboardInterrupt())
    assert not was_cut_off(study, layout), "who is interrupted leaves it alive"
    (job,) = read_jobs(layout.sweep("found"))
    assert job.status == RUNNING, "it gets on, however often its workers are killed"
    assert job.deaths == [f"{socket.gethostname()}:{os.getpid()}"]
    for _ in range(MOST_DEATHS - 1):
        trained(layout, study, monkeypatch, epochs, Died())
    assert not study.done
    trained(layout, study, monkeypatch, epochs, Died())
    assert study.done
    (job,) = read_jobs(layout.sweep("found"))
    assert (job.status, job.error) == (
        FAILED,
        "10 workers have died in it, one after the other without an epoch more",
    )
    told = capsys.readouterr().err
    assert "job 0 failed: 10 workers have died in it" in told
    assert f"  with {' '.join(job.overrides)}; traceback in " in told


def test_workers_that_die_outside_of_trials_end_the_search_unless_trials_end_in_between(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    deaths = Deaths(begun(layout), layout)
    for number in range(6):
        trial.SweepJob(layout.sweep("found"), number, [], FINISHED, worker=f"{socket.gethostname()}:1").save()
        deaths.note("machine:17", -9)
    for number in (7, 8):  # another machine's trials do not tell that workers work here
        trial.SweepJob(layout.sweep("found"), number, [], FINISHED, worker="elsewhere:1").save()
        deaths.note("machine:17", -9)
    trial.SweepJob(layout.sweep("found"), 6, [], RUNNING, worker="machine:18", deaths=["machine:16"]).save()
    deaths.note("machine:16", -9)  # in a trial that another worker has already taken up
    deaths.note("machine:18", -9)
    with pytest.raises(ConfigError, match="workers die outside of any trial"):
        deaths.note("machine:17", -9)


def test_a_worker_that_dies_is_replaced_where_ray_or_slurm_have_put_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    layout, codes = Layout(tmp_path), [0, -11, 1]
    study = begun(layout)
    order = Order.of(study, 0.0)

    def started(*given: Any) -> Any:
        assert given == (order, tmp_path, {"A": "1"})
        code = codes.pop()
        return SimpleNamespace(work=lambda: code, died=code != 0, name=f"node7:{len(codes)}", code=code)

    monkeypatch.setattr(processes, "Worker", started)
    assert Place(order, layout, {"A": "1"}).work() == 0
    told = capsys.readouterr().err
    assert "worker node7:2 has died (code 1); another takes its place" in told
    assert "worker node7:1 has died (code -11); another takes its place" in told
    codes += [-9]
    claimed = study.claim()
    assert claimed is not None
    claimed.finish(Result(FINISHED, (1.0,)))
    assert Place(order, layout, {"A": "1"}).work() == -9, "nobody is needed any more"
