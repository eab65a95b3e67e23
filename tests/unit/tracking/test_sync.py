"""What a sync finds in a store that others have written to, and what it leaves alone."""

import shutil
import socket
import time
from pathlib import Path
from typing import Any

import pytest

from pipeline import locks
from pipeline.errors import TrackingError
from pipeline.layout import Layout
from pipeline.tracking.dataset_page import keep_page
from pipeline.tracking.journal import FAILED, FINISHED, KILLED, Journal
from pipeline.tracking.runs import find_run
from pipeline.tracking.store import Store
from pipeline.tracking.sync import RUNNING, RunSync, sync
from pipeline.tracking.undelivered import sync_all

IDENTITY = "cnn-0123456789ab"


@pytest.fixture
def layout(tmp_path: Path, empty_database: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    shutil.copy2(empty_database, tmp_path / "mlflow.db")
    return Layout(tmp_path)


def journaled(layout: Layout, epochs: int, end: str | None, identity: str = IDENTITY, **tags: str) -> Path:
    folder = layout.run(identity)
    journal = Journal(folder / "journal.jsonl")
    journal.start(identity, "cnn", {"seed": 1}, {})
    if tags:
        journal.tags(tags)
    for epoch in range(1, epochs + 1):
        journal.metrics(epoch, {"loss": 1 / epoch})
    if end:
        journal.end(end)
    return folder


def steps(store: Store, run_id: str) -> list[int]:
    return [point.step for point in store.client.get_metric_history(run_id, "loss")]


def info(store: Store, run_id: str) -> Any:
    return store.client.get_run(run_id).info


def test_a_journal_written_anew_adds_no_point(layout: Layout) -> None:
    store = Store(layout)
    run_id = sync(store, journaled(layout, 5, FINISHED, device="cpu"))
    shutil.rmtree(layout.runs)
    time.sleep(0.01)  # other time stamps
    assert sync(Store(layout), journaled(layout, 6, FINISHED)) == run_id
    assert steps(store, run_id) == [1, 2, 3, 4, 5, 6]


def test_the_page_of_the_dataset_is_an_artifact_also_of_a_new_store(layout: Layout, empty_database: Path) -> None:
    layout.page("made").parent.mkdir(parents=True)
    layout.page("made").write_text("what is in it")
    folder = journaled(layout, 2, FINISHED)
    keep_page(layout, "made", layout.prepared("made"), folder)
    shutil.rmtree(layout.root / "build")
    for _ in range(2):
        store = Store(layout)
        run_id = sync(store, folder)
        kept = store.client.download_artifacts(run_id, "dataset/page.html")
        assert Path(kept).read_text() == "what is in it"
        shutil.copy2(empty_database, layout.root / "mlflow.db")
        shutil.rmtree(layout.artifacts)


def test_a_run_without_an_end_is_running_while_its_lock_is_held_and_killed_after(layout: Layout) -> None:
    store = Store(layout)
    folder = journaled(layout, 3, None)
    syncing = RunSync(store, folder)
    with locks.hold(folder / "lock", "the run"):
        run_id = syncing.deliver()
        assert run_id is not None
        assert info(store, run_id).status == RUNNING
    syncing.deliver()
    assert info(store, run_id).status == KILLED


def test_a_run_that_another_checkout_has_finished_stays_so(layout: Layout, tmp_path: Path) -> None:
    """This one was killed before; it may be told at any time, and be followed while the other one ends."""
    store, here = Store(layout), journaled(layout, 3, None)
    followed = RunSync(store, here)
    with locks.hold(here / "lock", "the run"):
        run_id = followed.deliver()
    other = journaled(Layout(tmp_path / "other"), 5, FINISHED)
    assert run_id == sync(store, other)
    for _ in range(2):
        assert followed.deliver() == run_id
        assert sync(store, here) == run_id
        assert info(store, run_id).status == FINISHED
        assert steps(store, run_id) == [1, 2, 3, 4, 5]
        assert sync_all(store) == (0, []), "there is nothing that the next `make repro` could bring"
    shutil.rmtree(here)
    assert sync(Store(layout), journaled(layout, 5, FINISHED)) == run_id, "it is trained again here"


def test_the_store_is_asked_once_about_a_run_that_has_finished_elsewhere(
    layout: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is trained again here, and its journal grows each second."""
    store = Store(layout)
    run_id = sync(store, journaled(Layout(tmp_path / "other"), 3, FINISHED))
    folder = journaled(layout, 1, None)
    followed = RunSync(store, folder)
    with locks.hold(folder / "lock", "the run"):
        assert followed.deliver() == run_id
        journaled(layout, 2, None)
        with monkeypatch.context() as patch:
            patch.setitem(vars(store), "client", None)
            assert followed.deliver() == run_id
    journaled(layout, 4, FINISHED)
    assert followed.deliver() == run_id
    assert steps(store, run_id) == [1, 2, 3, 4]


def test_a_resumed_run_is_running_again(layout: Layout) -> None:
    store = Store(layout)
    run_id = sync(store, journaled(layout, 2, FAILED))
    assert info(store, run_id).status == FAILED
    folder = journaled(layout, 3, None)
    with locks.hold(folder / "lock", "the run"):
        sync(Store(layout), folder)
        assert info(store, run_id).status == RUNNING
    assert steps(store, run_id) == [1, 2, 3]


def test_what_a_dead_server_missed_is_delivered_later_and_once(layout: Layout) -> None:
    store = Store(layout)
    for number in range(3):
        journaled(layout, 2, FINISHED, identity=f"cnn-{number:012x}")
    sync(store, layout.run(f"cnn-{0:012x}"))
    assert sync_all(store) == (2, [])
    assert sync_all(store) == (0, [])
    assert find_run(store, "cnn", f"cnn-{2:012x}") is not None


def test_what_was_deleted_in_mlflow_stays_deleted(layout: Layout) -> None:
    store = Store(layout)
    run_id = sync(store, journaled(layout, 2, FINISHED))
    store.client.delete_run(run_id)
    assert sync_all(store) == (0, [])
    store.client.delete_experiment(store.experiment("cnn").experiment_id)
    assert sync_all(store) == (0, [])
    assert store.client.get_experiment_by_name("cnn").lifecycle_stage == "deleted"


def test_a_live_run_is_left_to_its_follower(layout: Layout) -> None:
    folder = journaled(layout, 2, None)
    with locks.hold(folder / "lock", "the run"):
        assert sync_all(Store(layout)) == (0, [])


def test_a_server_that_never_answers_costs_seconds_and_shows_no_password(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        uri = f"http://user:secret@127.0.0.1:{silent.getsockname()[1]}"
        monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
        started = time.monotonic()
        with pytest.raises(TrackingError) as caught:
            sync(Store(layout), journaled(layout, 3, FINISHED))
    assert time.monotonic() - started < 15
    assert "secret" not in str(caught.value)
    assert str(caught.value).startswith("MLflow at http://127.0.0.1:")
