"""MLflow as a projection of the disk: any number of syncs, one run, no point twice."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipeline.errors import TrackingError
from pipeline.layout import Layout
from pipeline.tracking.journal import FINISHED, KILLED, Journal
from pipeline.tracking.runs import find_run
from pipeline.tracking.store import Store
from pipeline.tracking.sync import sync
from tests.clones import ROOT, environment

IDENTITY = "cnn-0123456789ab"
METRICS = 2


@pytest.fixture
def layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return Layout(tmp_path)


def journaled(layout: Layout, epochs: int, end: str | None) -> Path:
    folder = layout.run(IDENTITY)
    journal = Journal(folder / "journal.jsonl")
    journal.start(IDENTITY, "cnn", {"model.filters": [8], "seed": 1}, {"git.commit": "abc"})
    for epoch in range(1, epochs + 1):
        journal.metrics(epoch, {"loss": 1 / epoch, "val_loss": 2 / epoch})
    if end:
        journal.end(end)
    return folder


def points(store: Store, run_id: str) -> list[tuple[int, float]]:
    return [(metric.step, metric.value) for metric in store.client.get_metric_history(run_id, "loss")]


def test_sync_may_run_any_number_of_times(layout: Layout) -> None:
    store = Store(layout)
    run_id = sync(store, journaled(layout, 3, KILLED))
    assert sync(store, layout.run(IDENTITY)) == run_id
    assert sync(Store(layout), journaled(layout, 5, FINISHED)) == run_id
    assert sync(Store(layout), layout.run(IDENTITY)) == run_id
    assert points(store, run_id) == [(epoch, 1 / epoch) for epoch in range(1, 6)]
    run = store.client.get_run(run_id)
    assert run.info.status == FINISHED
    assert run.data.params == {"model.filters": "[8]", "seed": "1"}
    assert run.data.tags["git.commit"] == "abc"
    journal = [json.loads(line) for line in (layout.run(IDENTITY) / "journal.jsonl").read_text().splitlines()]
    assert (run.info.start_time, run.info.end_time) == (journal[0]["time"], journal[-1]["time"])


def test_another_store_is_filled_from_the_start(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = journaled(layout, 3, FINISHED)
    sync(Store(layout), folder)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{layout.home}/other.db")
    store = Store(layout)
    assert len(points(store, sync(store, folder))) == 3


@pytest.mark.slow
def test_four_processes_may_create_one_store(layout: Layout) -> None:
    folder = journaled(layout, 3, FINISHED)
    code = (
        "import sys; from pathlib import Path; from pipeline.layout import Layout; "
        "from pipeline.tracking.store import Store; from pipeline.tracking.sync import sync; "
        "sync(Store(Layout(Path(sys.argv[1]))), Path(sys.argv[2]))"
    )
    command = [sys.executable, "-c", code, str(layout.root), str(folder)]
    started = [subprocess.Popen(command, env=environment(), stderr=subprocess.PIPE, text=True) for _ in range(4)]
    for process in started:
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
    store = Store(layout)
    place = store.experiment("cnn").experiment_id
    assert len(store.client.search_runs([place])) == 1
    assert len(points(store, find_run(store, "cnn", IDENTITY).info.run_id)) == 3


def test_a_server_that_refuses_is_one_line(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    with pytest.raises(TrackingError) as caught:
        sync(Store(layout), journaled(layout, 3, FINISHED))
    message = str(caught.value)
    assert message.startswith("MLflow at http://127.0.0.1:9: ")
    assert message.endswith("the next `make repro` delivers it.")
    assert "\n" not in message


def test_a_store_that_is_no_database_is_one_line(layout: Layout) -> None:
    (layout.home / "mlflow.db").write_bytes(b"this is not a database" * 100)
    with pytest.raises(TrackingError, match=r"no database, or a damaged one\. Move that file away"):
        sync(Store(layout), journaled(layout, 3, FINISHED))


@pytest.mark.slow
def test_the_follower_delivers_although_its_parent_was_killed(layout: Layout) -> None:
    journaled(layout, 4, None)
    code = (
        "import sys, time; from pathlib import Path; from pipeline.layout import Layout; "
        "from pipeline.tracking.follower import Follower; "
        f"Follower.of_run(Layout(Path(sys.argv[1])), {IDENTITY!r}); print('started', flush=True); time.sleep(600)"
    )
    command = [sys.executable, "-c", code, str(layout.root)]
    parent = subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    assert parent.stdout.readline() == "started\n"
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    deadline = time.monotonic() + 180
    store = None
    while time.monotonic() < deadline:
        if (layout.home / "mlflow.db").exists():
            store = store or Store(layout)
            run = find_run(store, "cnn", IDENTITY)
            if run is not None and len(points(store, run.info.run_id)) == 4:
                break
        time.sleep(0.5)
    assert store is not None
    assert len(points(store, find_run(store, "cnn", IDENTITY).info.run_id)) == 4


def test_runs_of_a_temporary_working_tree_stand_at_home(tmp_path: Path) -> None:
    root = tmp_path / "project" / ".dvc" / "tmp" / "exps" / "standalone" / "tmp123"
    assert Layout(root).home in (tmp_path / "project", root)
    assert Layout(tmp_path / "project" / ".dvc" / "tmp" / "exps" / "tmp123").home == tmp_path / "project"
    assert Layout(ROOT).home == ROOT
