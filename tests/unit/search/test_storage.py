"""Studies on PostgreSQL, and journal files that were cut off."""

import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from pipeline.config.sweep import PrunerConfig
from pipeline.errors import ArtifactError, ConfigError
from pipeline.layout import Layout
from pipeline.search.claimed import TakenError
from pipeline.search.claims import PostgresClaims
from pipeline.search.postgres import answering, url_of
from pipeline.search.storage import open_storage
from pipeline.search.study import Study
from pipeline.search.trial import Result
from pipeline.tracking.sweep_job import FAILED
from tests.unit.search.simulated import Search, plan_of, result_of_training, trained

MEDIAN = PrunerConfig("median", startup_trials=2)


def run(study: Study) -> list[Any]:
    while claimed := study.claim():
        for epoch in range(1, 4):
            if claimed.should_prune(epoch, {"val_loss": trained(claimed.overrides, epoch)}):
                break
        claimed.finish(result_of_training(study.plan, claimed.overrides, 0))
    return [(trial.params, trial.values, trial.intermediate_values) for trial in study.trials()]


def test_the_same_trials_on_postgres_and_in_a_file(postgres: str, tmp_path: Path) -> None:
    trials = []
    for storage in (postgres, ""):
        plan = plan_of(trials=6, startup=2, lag=2, pruner=MEDIAN, storage=storage)
        trials.append(run(Study.create_or_open(plan, Layout(tmp_path))))
    assert trials[0] == trials[1]
    again = Study.open(postgres, "found", Layout(tmp_path))
    assert again.done
    assert again.plan.settings.space == plan.settings.space


@pytest.mark.parametrize("kind", ["file", "postgres"])
def test_workers_that_begin_at_once_share_the_trials(kind: str, tmp_path: Path, request: Any) -> None:
    """Each of four opens the study for itself. Nobody gets a trial that another one has."""
    storage = "" if kind == "file" else request.getfixturevalue("postgres")
    plan = plan_of(name=f"at once in {kind}", trials=12, lag=4, startup=2, storage=storage)
    begun: list[int] = []

    def work() -> None:
        study = Study.create_or_open(plan, Layout(tmp_path))
        while not study.done:
            if (claimed := study.claim()) is None:
                time.sleep(0.002)
                continue
            begun.append(claimed.number)
            time.sleep(0.005)
            claimed.finish(result_of_training(plan, claimed.overrides, 5))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    study = Study.open(storage, plan.name, Layout(tmp_path))
    alone = Search(tmp_path / "alone", plan, failing=5).run()
    assert [trial.params for trial in study.trials()] == [trial[2] for trial in alone.trials()]
    assert sorted(begun) == list(range(len(study.trials())))


CLAIM = """
import sys, time
from pathlib import Path
from pipeline.layout import Layout
from pipeline.search.study import Study
study = Study.open(sys.argv[1], "killed", Layout(Path(sys.argv[2])))
claimed = study.claim()
print(claimed.number, flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("kind", ["file", "postgres"])
def test_a_killed_worker_frees_its_trial(kind: str, tmp_path: Path, request: Any) -> None:
    storage = "" if kind == "file" else request.getfixturevalue("postgres")
    study = Study.create_or_open(plan_of(name="killed", trials=1, storage=storage), Layout(tmp_path))
    command = [sys.executable, "-c", CLAIM, storage, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "0\n"
        assert study.claim() is None
        assert not study.done
        process.kill()
    for _ in range(1000):
        if claimed := study.claim():
            break
        time.sleep(0.01)
    assert claimed is not None
    assert claimed.number == 0


def test_a_worker_that_lost_its_lock_learns_that_another_one_has_finished(postgres: str, tmp_path: Path) -> None:
    """A server that starts again frees all locks, so that two workers may have one trial. The first result counts."""
    plan = plan_of(name="lost", trials=1, storage=postgres, pruner=MEDIAN)
    study = Study.create_or_open(plan, Layout(tmp_path))
    first = study.claim()
    assert isinstance(study.claims, PostgresClaims)
    with study.claims.engine.connect() as connection:
        connection.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
            "AND pid IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory')"
        )
    second = Study.open(postgres, "lost", Layout(tmp_path)).claim()
    assert first is not None
    assert second is not None
    assert second.number == first.number == 0
    result = result_of_training(plan, second.overrides, 0)
    second.finish(result)
    with pytest.raises(TakenError, match="another worker has finished trial 0"):
        first.should_prune(1, {"val_loss": 1.0})
    with pytest.raises(TakenError):
        first.finish(Result(FAILED, error="no memory"))
    assert study.done
    assert first.as_kept().values == list(result.values)


@pytest.mark.parametrize(
    ("storage", "message"),
    [
        ("postgresql://me:secret@127.0.0.1:1/studies", r"^sweep.storage: postgresql://127.0.0.1:1/studies does not"),
        (
            "postgresql:///studies?host=/nowhere&password=secret",
            "postgresql:///nowhere/studies does not",
        ),
        ("postgresql://me:se/secret@127.0.0.1:1/studies", r"^sweep.storage: postgresql://127.0.0.1:1/studies does not"),
        ("postgresql://me:my@secret@127.0.0.1:1/studies", "^sweep.storage: the address has several @. Write %40"),
        (
            "postgresql://me:secret@127.0.0.1:port/studies",
            "^sweep.storage: the address cannot be read, expected",
        ),
        ("sqlite:///studies.db", r"^sweep.storage: found 'sqlite:///studies.db', expected postgresql://"),
        ("studies.db", "^sweep.storage: found 'studies.db', expected postgresql://"),
    ],
)
def test_storage_that_cannot_be_used(storage: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        Study.create_or_open(plan_of(storage=storage), Layout(tmp_path))
    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("directions", [("minimize",), ("minimize", "maximize")])
def test_a_study_of_somebody_else_is_left_alone(directions: tuple[str, ...], tmp_path: Path) -> None:
    import optuna

    layout = Layout(tmp_path)
    storage, _ = open_storage("", "found", layout.sweep("found"))
    theirs = optuna.create_study(storage=storage, study_name="found", directions=list(directions))
    if len(directions) == 1:
        theirs.ask()
    with pytest.raises(ConfigError, match=r"^sweep found: study.journal has a study of this name that is no search of"):
        Study.create_or_open(plan_of(), layout)
    assert (theirs.user_attrs, theirs.metric_names) == ({}, None)


def test_tables_of_another_optuna(postgres: str, tmp_path: Path) -> None:
    from sqlalchemy import NullPool, create_engine

    plan = plan_of(name="tables", storage=postgres)
    study = Study.create_or_open(plan, Layout(tmp_path))
    engine = create_engine(url_of(postgres), poolclass=NullPool)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'v3.0.0.d'")
    message = r"^sweep.storage: the tables in postgresql://.*/test\d+ are of another version of Optuna\. Make a"
    with pytest.raises(ConfigError, match=message):
        Study.open(postgres, study.plan.name, Layout(tmp_path))


def test_a_server_that_goes_away() -> None:
    from sqlalchemy.exc import OperationalError

    message = r"^sweep.storage: postgresql://host/studies does not answer \(gone for good\)\. Check the address"
    with pytest.raises(ConfigError, match=message), answering("postgresql://me:secret@host/studies"):
        raise OperationalError("SELECT 1", {}, Exception("gone")) from Exception("gone\nfor good")


def test_a_damaged_journal_is_said(tmp_path: Path) -> None:
    path = Search(tmp_path / "study.journal", plan_of(trials=1)).run().path
    path.write_bytes(b"{]\n" + path.read_bytes())
    with pytest.raises(ArtifactError, match=r"study\.journal: damaged"):
        open_storage("", "found", tmp_path)
