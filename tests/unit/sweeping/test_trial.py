"""What becomes of one trial: its record and what the study has of it agree, however it ends."""

import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from optuna.trial import TrialState

from pipeline.config.sweep import PrunerConfig
from pipeline.layout import Layout
from pipeline.search.claimed import Claimed
from pipeline.search.plan import Plan
from pipeline.search.study import Study
from pipeline.search.trial import RESULT, Result, result_of
from pipeline.sweeping import trial, workers
from pipeline.tracking.sweep import read_jobs
from pipeline.tracking.sweep_job import FAILED, FINISHED, RUNNING, SweepJob
from tests.unit.search.simulated import plan_of

UNCHANGED: Any = SimpleNamespace(check=lambda: None)


def run(study: Study, layout: Layout) -> SweepJob:
    claimed = study.claim()
    assert claimed is not None
    with claimed:
        trial.run_trial(study.plan, claimed, layout, UNCHANGED)
    return next(job for job in read_jobs(layout.sweep("found")) if job.number == claimed.number)


def test_an_objective_that_is_not_finite_is_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    layout = Layout(tmp_path)
    study = Study.create_or_open(plan_of(trials=2), layout)
    monkeypatch.setattr(trial, "_trained", lambda *_: Result(FINISHED, (math.nan,), epochs=3))
    job = run(study, layout)
    error = "an objective or a constraint is not finite: found nan"
    assert (job.status, job.error, job.score, job.values) == (FAILED, error, None, [])
    assert (job.folder / job.log).is_file()
    result = result_of(study.trials()[0])
    assert (result.status, result.error, result.log) == (FAILED, error, job.log)
    assert (result.started, result.seconds) == (job.started, job.seconds)
    assert f"job 0 failed: {error}\n  with experiment=cnn_digits " in capsys.readouterr().err


def test_an_error_after_a_signal_leaves_the_trial_to_another_worker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TensorFlow turns an interrupt into errors of its own."""
    layout = Layout(tmp_path)
    study = Study.create_or_open(plan_of(trials=1), layout)
    with monkeypatch.context() as interrupted:
        interrupted.setattr(trial, "was_interrupted", lambda: True)
        interrupted.setattr(trial, "_trained", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            run(study, layout)
    (job,) = read_jobs(layout.sweep("found"))
    assert (job.status, job.worker, job.error) == (RUNNING, "", "")
    monkeypatch.setattr(trial, "_trained", lambda *_: Result(FINISHED, (0.5,)))
    assert run(study, layout).status == FINISHED


@pytest.mark.parametrize("pruner", ["none", "median"])
def test_where_another_worker_has_finished_the_trial_its_result_is_kept(
    pruner: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a pruner this is seen after an epoch, without one at the end; `finished` here stands for that worker."""
    layout = Layout(tmp_path)
    study = Study.create_or_open(plan_of(trials=2, pruner=PrunerConfig(pruner)), layout)

    def finished(plan: Plan, claimed: Claimed, *_: Any) -> Result:
        number = claimed.as_kept()._trial_id
        study.storage.set_trial_user_attr(number, RESULT, Result(FINISHED, (0.25,)).as_json())
        study.storage.set_trial_state_values(number, TrialState.COMPLETE, [0.25])
        claimed.should_prune(1, {"val_loss": 0.5})
        return Result(FINISHED, (0.5,))

    monkeypatch.setattr(trial, "_trained", finished)
    job = run(study, layout)
    assert (job.status, job.score, job.error) == (FINISHED, 0.25, "")


def test_a_search_that_was_cut_off_in_a_trial_goes_on_in_a_process_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a trial that kills its process would end the command each time."""
    layout, started = Layout(tmp_path), list[str]()
    study = Study.create_or_open(plan_of(trials=1), layout)
    monkeypatch.setattr(workers, "terminate_as_interrupt", lambda: None)
    monkeypatch.setattr(workers, "work", lambda *_, alone: started.append("in this process"))
    monkeypatch.setitem(workers.STARTERS, "here", workers.Starter(lambda *_: started.append("in another one")))
    for worker in ("", "machine:17"):
        SweepJob(layout.sweep("found"), 0, [], RUNNING, worker=worker).save()
        workers.run_workers(study, layout)
    assert started == ["in this process", "in another one"]
