"""A project that is moved, copied or called oddly keeps its store, its models, and its neighbours' peace."""

import shutil
from pathlib import Path
from urllib.parse import unquote

import mlflow
import pytest

from pipeline.layout import Layout
from pipeline.tracking.places import OWNER_TAG
from pipeline.tracking.store import Store

ODD = [
    "a b",
    "feature%2Flogin",
    "what?",
    "50%",
    "a#b",
    "a&b=c",
    "a,b",
    "a[0]",
    "a\\b",
    "it's",
    'dq"x',
    "Ü文😀",
    "-lead",
]


@pytest.fixture(autouse=True)
def _default_store(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


def project(root: Path, database: Path) -> Path:
    root.mkdir(parents=True)
    (root / "dvc.yaml").touch()
    shutil.copy2(database, root / "mlflow.db")
    return root


def add_run(root: Path, text: str) -> None:
    store = Store(Layout(root))
    place = store.experiment("team/x y").experiment_id
    run = store.client.create_run(place).info.run_id
    store.client.log_text(run, text, "said.txt")


def said(root: Path) -> set[str]:
    """What all runs of the store have said, by their artifacts, which must stand in the project."""
    store = Store(Layout(root))
    texts = set()
    for run in store.client.search_runs([store.experiment("team/x y").experiment_id]):
        path = Path(unquote(run.info.artifact_uri.removeprefix("file://"))) / "said.txt"
        assert path.is_relative_to(root)
        found = mlflow.artifacts.download_artifacts(
            run_id=run.info.run_id, artifact_path="said.txt", tracking_uri=store.uri
        )
        assert Path(found).read_text() == path.read_text()
        texts.add(path.read_text())
    return texts


@pytest.mark.parametrize("name", ODD)
def test_a_checkout_as_people_call_it(name: str, tmp_path: Path, empty_database: Path) -> None:
    root = project(tmp_path / name, empty_database)
    add_run(root, "here")
    assert said(root) == {"here"}
    assert sorted(path.name for path in root.iterdir()) == ["build", "dvc.yaml", "mlartifacts", "mlflow.db"]
    assert sorted(path.name for path in tmp_path.iterdir()) == [name]


def test_a_moved_project_finds_its_artifacts(
    tmp_path: Path, empty_database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = project(tmp_path / "first", empty_database)
    add_run(first, "before")
    second = first.rename(tmp_path / "second place")
    assert said(second) == {"before"}
    told = capsys.readouterr().err
    assert (
        f"MLflow store {second}/mlflow.db: this project was at file://{first}; 2 places of artifacts now point" in told
    )
    add_run(second, "after")
    assert said(second) == {"before", "after"}
    assert not first.exists()
    assert capsys.readouterr().err == "", "told once"


def test_a_copy_writes_nothing_into_the_original(tmp_path: Path, empty_database: Path) -> None:
    original = project(tmp_path / "original", empty_database)
    add_run(original, "both")
    copy = Path(shutil.copytree(original, tmp_path / "copy"))
    before = sorted(original.rglob("*"))
    add_run(copy, "copy alone")
    assert said(copy) == {"both", "copy alone"}
    assert sorted(original.rglob("*")) == before
    assert said(original) == {"both"}


def test_where_only_the_database_came_along_old_places_stay(tmp_path: Path, empty_database: Path) -> None:
    original = project(tmp_path / "original", empty_database)
    add_run(original, "there")
    copy = project(tmp_path / "copy", original / "mlflow.db")
    add_run(copy, "here")
    store = Store(Layout(copy))
    runs = store.client.search_runs([store.experiment("team/x y").experiment_id])
    roots = {Path(run.info.artifact_uri.removeprefix("file://")).relative_to(tmp_path).parts[0] for run in runs}
    assert roots == {"original", "copy"}


def test_places_of_the_users_own_are_left_alone(tmp_path: Path, empty_database: Path) -> None:
    root = project(tmp_path / "first", empty_database)
    client = Store(Layout(root)).client
    places = {"mine": "s3://bucket/mlartifacts", "other": f"file://{tmp_path}/elsewhere/other"}
    for name, place in places.items():
        client.create_experiment(name, place)
    moved = root.rename(tmp_path / "second")
    client = Store(Layout(moved)).client
    assert {name: client.get_experiment_by_name(name).artifact_location for name in places} == places


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (None, "sqlite:///{home}/mlflow.db"),
        ("sqlite:///team.db", "sqlite:///{home}/team.db"),
        ("sqlite:///stores/team.db?timeout=5", "sqlite:///{home}/stores/team.db?timeout=5"),
        ("sqlite:////srv/team.db", "sqlite:////srv/team.db"),
        ("http://server:5000", "http://server:5000"),
    ],
)
def test_a_relative_store_is_the_projects_from_everywhere(
    given: str | None, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if given:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", given)
    (tmp_path / "dvc.yaml").touch()
    trees = [tmp_path, tmp_path / "docs", tmp_path / ".dvc" / "tmp" / "exps" / "a"]
    for tree in trees:
        tree.mkdir(parents=True, exist_ok=True)
    (trees[-1] / "dvc.yaml").touch()
    for tree in trees:
        monkeypatch.chdir(tree)
        assert Layout.find().tracking_uri == expected.format(home=tmp_path)


def test_what_another_checkout_put_into_a_shared_store_stays_its_own(
    tmp_path: Path, empty_database: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    owner, guest = (project(tmp_path / name, empty_database) for name in ("owner", "guest"))
    add_run(owner, "owner's")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{owner}/mlflow.db")
    store = Store(Layout(guest))
    run = store.client.create_run(store.experiment("guests").experiment_id).info
    store.client.log_text(run.run_id, "guest's", "said.txt")
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    found = Store(Layout(owner)).client.get_run(run.run_id).info.artifact_uri
    assert found == run.artifact_uri
    assert found.startswith(guest.as_uri())
    assert capsys.readouterr().err == ""


def test_a_database_without_a_note_tells_by_what_is_gone(tmp_path: Path, empty_database: Path) -> None:
    first = project(tmp_path / "first", empty_database)
    add_run(first, "before")
    Store(Layout(first)).client.delete_experiment_tag("0", OWNER_TAG)
    assert said(first.rename(tmp_path / "second")) == {"before"}
