"""One run in MLflow for each sweep, however many processes deliver it, and whatever the store knows already."""

import multiprocessing
import shutil
from pathlib import Path
from typing import Any

import pytest
from mlflow.entities import Run
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID

from pipeline import locks
from pipeline.layout import LOCK, PAGE, PLOTS, Layout
from pipeline.tracking import journal as journals
from pipeline.tracking.journal import Journal
from pipeline.tracking.runs import IDENTITY_TAG, active_runs, find_run
from pipeline.tracking.store import Store
from pipeline.tracking.sweep import Sweep, note_ended, read_jobs
from pipeline.tracking.sweep_job import FAILED, FINISHED, PRUNED, RUNNING, SweepJob
from pipeline.tracking.sweep_sync import SweepSync, sync_sweep
from pipeline.tracking.sync import RunSync
from pipeline.tracking.undelivered import sync_sweeps

NAME = "cnn-search"


@pytest.fixture
def layout(tmp_path: Path, empty_database: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    shutil.copy2(empty_database, tmp_path / "mlflow.db")
    return Layout(tmp_path)


def trained(layout: Layout, number: int, status: str, score: float | None, experiment: str = "cnn") -> SweepJob:
    """The record and, unless the job has only begun, the journal of a job that ends at this time."""
    identity = f"{experiment}-{number:012x}"
    job = SweepJob(
        layout.sweep(NAME), number, [f"experiment={experiment}", f"x={number}"], status, experiment, identity
    )
    job.objective, job.score, job.params, job.started, job.seconds = "val_loss", score, {"x": str(number)}, 1e9, number
    job.error = "no rows" if status == FAILED else ""
    job.save()
    if status in (FINISHED, PRUNED):
        journal = Journal(layout.run(identity) / "journal.jsonl")
        journal.start(identity, experiment, {"x": number, "trainer.epochs": 20}, {})
        journal.metrics(1, {"val_loss": score or 0.0})
        journal.end(status)
    return job


def runs_of(layout: Layout, experiment: str = "cnn") -> dict[str, Run]:
    found = list(active_runs(Store(layout), experiment))
    assert len({run.data.tags[IDENTITY_TAG] for run in found}) == len(found), "none is there twice"
    return {run.data.tags[IDENTITY_TAG]: run for run in found}


def parent_of(layout: Layout, experiment: str = "cnn") -> Run:
    return runs_of(layout, experiment)[f"sweep-{NAME}"]


def history(layout: Layout, key: str) -> list[tuple[int, float]]:
    run_id = parent_of(layout).info.run_id
    points = Store(layout).client.get_metric_history(run_id, key)
    return sorted((point.step, point.value) for point in points)


def test_a_sweep_is_one_run_that_tells_how_it_goes_on(layout: Layout, empty_database: Path) -> None:
    folder = layout.sweep(NAME)
    trained(layout, 0, FINISHED, 0.5)
    trained(layout, 1, RUNNING, None)
    trained(layout, 2, FINISHED, 0.2)
    Sweep("python -m pipeline.train -m sweep=cnn", "cnn", {"x": "interval(0, 9)"}).save(folder)
    sweep = SweepSync(Store(layout), NAME)
    with locks.hold(folder / LOCK, "the sweep"):
        sweep.deliver()
        assert history(layout, "best_val_loss") == [(0, 0.5)], "the second job may still be the best of the first two"
        assert parent_of(layout).info.status == "RUNNING"
        assert parent_of(layout).data.tags["pipeline.progress"] == "3 jobs: 2 finished, 1 running"
        assert parent_of(layout).data.tags["pipeline.best_command"].endswith("experiment=cnn x=2")
        trained(layout, 1, FINISHED, 0.7)
        trained(layout, 3, FAILED, None)
        trained(layout, 4, PRUNED, 0.1)
        sweep.deliver()
    (folder / PAGE).write_text("what it found")
    (folder / PLOTS).mkdir()
    (folder / PLOTS / "history.svg").write_text("<svg/>")
    for _ in range(2):  # into this store, and then into a new one
        for _ in range(2):
            assert sync_sweep(Store(layout), NAME) == 5
        assert history(layout, "best_val_loss") == [(0, 0.5), (1, 0.5), (2, 0.2), (3, 0.2), (4, 0.2)]
        assert [history(layout, key)[-1] for key in ("finished", "pruned", "failed")] == [(4, 3), (4, 1), (4, 1)]
        runs, parent = runs_of(layout), parent_of(layout)
        assert parent.info.status == "FINISHED", "a search in which one job has failed has not failed"
        assert parent.data.params == {"x": "interval(0, 9)"}
        assert parent.data.tags["pipeline.command"] == "python -m pipeline.train -m sweep=cnn"
        assert Path(Store(layout).client.download_artifacts(parent.info.run_id, PAGE)).read_text() == "what it found"
        assert Store(layout).client.download_artifacts(parent.info.run_id, f"{PLOTS}/history.svg")
        children = {name: run for name, run in runs.items() if run.data.tags.get(MLFLOW_PARENT_RUN_ID)}
        assert sorted(children) == [f"cnn-{number:012x}" for number in (0, 1, 2, 4)]
        assert {run.data.tags[MLFLOW_PARENT_RUN_ID] for run in children.values()} == {parent.info.run_id}
        assert runs[f"cnn-{4:012x}"].data.tags["pipeline.pruned"] == "after epoch 1 of 20"
        assert sync_sweeps(Store(layout)) == (0, [])
        shutil.copy2(empty_database, layout.root / "mlflow.db")


def test_a_search_that_was_interrupted_between_two_trials_has_not_finished(layout: Layout) -> None:
    """Perhaps it goes on elsewhere."""
    folder = layout.sweep(NAME)
    trained(layout, 0, FINISHED, 0.5)
    Sweep("python -m pipeline.train -m sweep=cnn", "cnn", {"x": "interval(0, 9)"}).save(folder)
    for ended, status in ((False, "KILLED"), (True, "FINISHED")):
        note_ended(folder, ended)
        sync_sweep(Store(layout), NAME)
        assert parent_of(layout).info.status == status


def test_over_several_experiments_the_run_stands_in_that_of_the_first_job(layout: Layout) -> None:
    trained(layout, 1, FINISHED, 0.5, "b")
    with locks.hold(layout.sweep(NAME) / LOCK, "the sweep"):
        SweepSync(Store(layout), NAME).deliver()
    trained(layout, 0, FINISHED, 0.2, "a")
    sync_sweep(Store(layout), NAME)
    assert list(runs_of(layout, "a")) == [f"a-{0:012x}"]
    parent = parent_of(layout, "b")
    assert parent.data.params == {"experiment": "a b", "x": "0 1"}
    for experiment, number in (("a", 0), ("b", 1)):
        child = runs_of(layout, experiment)[f"{experiment}-{number:012x}"]
        assert child.data.tags[MLFLOW_PARENT_RUN_ID] == parent.info.run_id


def test_a_sweep_that_was_killed_here_and_went_on_elsewhere_is_told_as_it_went_on(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", layout.tracking_uri)
    other = Layout(layout.root / "other")
    for number, status in enumerate((FINISHED, RUNNING)):
        trained(layout, number, status, 0.5)
    sync_sweep(Store(layout), NAME)
    assert parent_of(layout).info.status == "KILLED"
    for number in range(3):
        trained(other, number, FINISHED, 0.5 - number / 10)
    sync_sweep(Store(other), NAME)
    for _ in range(2):
        assert sync_sweeps(Store(layout)) == (0, [])
        sync_sweep(Store(layout), NAME)
        assert parent_of(layout).info.status == "FINISHED"
        assert parent_of(layout).data.tags["pipeline.progress"] == "3 jobs: 3 finished"
        assert history(layout, "best_val_loss") == [(0, 0.5), (1, 0.4), (2, 0.3)]
    for number in (1, 2):
        trained(layout, number, FINISHED, 0.5 - number / 10)
    note_ended(layout.sweep(NAME), False)  # interrupted with all records, before its end was noted
    sync_sweep(Store(layout), NAME)
    assert parent_of(layout).info.status == "FINISHED"


def test_of_two_runs_that_two_machines_have_created_the_older_one_stays(layout: Layout) -> None:
    trained(layout, 0, FINISHED, 0.5)
    sync_sweep(Store(layout), NAME)
    store = Store(layout)
    place = store.experiment("cnn").experiment_id
    older = store.client.create_run(place, start_time=1, tags={IDENTITY_TAG: f"sweep-{NAME}"}).info.run_id
    sync_sweep(Store(layout), NAME)
    assert parent_of(layout).info.run_id == older
    assert runs_of(layout)[f"cnn-{0:012x}"].data.tags[MLFLOW_PARENT_RUN_ID] == older
    assert history(layout, "best_val_loss") == [(0, 0.5)]


def test_a_pruned_run_that_goes_on_says_so(layout: Layout) -> None:
    job = trained(layout, 0, PRUNED, 0.5)
    syncing = RunSync(Store(layout), layout.run(job.identity))
    syncing.deliver()
    assert find_run(Store(layout), "cnn", job.identity).info.status == "KILLED"  # type: ignore[union-attr]
    journal = Journal(layout.run(job.identity) / "journal.jsonl")
    journal.metrics(2, {"val_loss": 0.4})
    journal.end(journals.FINISHED)
    syncing.deliver()
    run: Any = find_run(Store(layout), "cnn", job.identity)
    assert run.info.status == "FINISHED"
    assert run.data.tags["pipeline.pruned"] == "no longer, it went on to epoch 2"


def deliver_some(root: Path, numbers: range) -> None:
    sweep = SweepSync(Store(Layout(root)), NAME)
    for number in numbers:
        identity = f"cnn-{number:012x}"
        run_id = RunSync(Store(Layout(root)), Layout(root).run(identity)).deliver()
        assert run_id is not None
        sweep.follow(identity, run_id)
        sweep.deliver()


def test_of_runs_that_many_processes_deliver_at_once_none_is_lost_or_doubled(layout: Layout) -> None:
    processes, each = 3, 4
    for number in range(processes * each):
        trained(layout, number, FINISHED, 1 / (number + 1))
    fork = multiprocessing.get_context("fork")
    workers = [
        fork.Process(target=deliver_some, args=(layout.root, range(i, processes * each, processes)))
        for i in range(processes)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0] * processes
    runs, parent = runs_of(layout), parent_of(layout)
    below = [run for run in runs.values() if run.data.tags.get(MLFLOW_PARENT_RUN_ID) == parent.info.run_id]
    assert len(below) == processes * each == len(runs) - 1
    assert [step for step, _ in history(layout, "best_val_loss")] == list(range(processes * each))
    assert len(read_jobs(layout.sweep(NAME))) == processes * each
