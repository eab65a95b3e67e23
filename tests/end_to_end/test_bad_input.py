"""What goes wrong in the first hour: one clear line on stderr, exit code 2, DVC's outputs and registry as they were."""

import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from pipeline.data.schema import NUMERIC, Feature
from pipeline.data.table import Table
from pipeline.errors import DataError
from tests.clones import MAKE, ROOT, environment
from tests.conftest import Run
from tests.stages.test_register_outputs import register  # noqa: F401  (a fixture)


def line_of(done: "subprocess.CompletedProcess[str]") -> str:
    """The one line that a command refused its input with."""
    assert done.returncode == 2, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    lines = done.stderr.strip().splitlines()
    assert sum(line.startswith("error: ") for line in lines) == 1, done.stderr
    return lines[-1]


def inline(checkout: Path, rows: str, columns: str = "[x, y]") -> None:
    (checkout / "conf" / "dataset" / "made.yaml").write_text(
        f"defaults:\n  - inline_schema\nmodality: table\ntask: regression\ncolumns: {columns}\nrows: {rows}\n"
    )


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ("[]", "dataset made: found 0 rows, expected at least one."),
        (
            "[[1, 2], [.nan, 3]]",
            "dataset made: column 'x' holds NaN or infinity in 1 rows, first in row 1. Expected finite numbers; mend "
            "or drop these rows.",
        ),
        (
            "[[1, 2], [2, .inf], [3, -.inf]]",
            "dataset made: column 'y' holds NaN or infinity in 2 rows, first in row 1. Expected finite numbers; mend "
            "or drop these rows.",
        ),
        ("[[1, 2], [3]]", "dataset made: row 1 has 1 values, expected 2 (x, y)."),
        (
            "[[1, 2], [2, 4]]",
            "dataset made: split validation has 0 rows, expected at least 1. Add rows, enlarge the split, or try "
            "another split.seed in params.yaml.",
        ),
    ],
    ids=["empty", "NaN input", "infinite label", "ragged", "empty split"],
)
def test_rows_that_no_model_can_learn_from(rows: str, expected: str, checkout: Path, pipeline: Run) -> None:
    inline(checkout, rows)
    done = pipeline("prepare", "dataset=made")
    assert line_of(done) == f"error: {expected}"
    assert not (checkout / "data").exists()


def test_a_class_absent_from_a_split(checkout: Path, pipeline: Run) -> None:
    done = pipeline("prepare", "dataset=digits", "split.validation=0.005")
    assert line_of(done) == (
        "error: dataset digits: split validation has 0 rows of class '0', expected at least 1. Add rows, enlarge the "
        "split, or try another split.seed in params.yaml."
    )
    assert not (checkout / "data").exists()


def test_one_class_only() -> None:
    features = [Feature("x", NUMERIC, "float32", [])]
    values = np.arange(4, dtype=np.float32)
    table = Table(features, {"x": values}, np.zeros(4, np.int32), "y", ["no", "yes"])
    with pytest.raises(DataError) as caught:
        table.check("made", "binary")
    assert str(caught.value) == "dataset made: every row is of one class, expected at least two classes."


def test_an_unknown_family(pipeline: Run) -> None:
    assert line_of(pipeline("train", "experiment=cnn_digits", "model=cnm")) == (
        "error: model: 'cnm' is unknown (cnn, linear, logistic, rnn). Did you mean 'cnn'?"
    )


@pytest.mark.parametrize("command", ["prepare", "evaluate"])
def test_only_trainings_are_swept(command: str, checkout: Path, pipeline: Run) -> None:
    before = sorted(path.name for path in checkout.iterdir())
    options = {"prepare": "dataset=line,diabetes", "evaluate": "experiment=cnn_digits,rnn_digits"}[command]
    assert line_of(pipeline(command, "-m", options)) == (
        "error: -m (multirun) is for pipeline.train. Give this command one choice at a time."
    )
    assert sorted(path.name for path in checkout.iterdir()) == before


def test_an_experiment_that_stands_twice(pipeline: Run, edit: Callable[[str, str, str], None]) -> None:
    edit("params.yaml", "  cnn_digits: digits\n", "  cnn_digits: digits\n  cnn_digits: digits\n")
    assert line_of(pipeline("configure")) == (
        "error: params.yaml line 20: 'cnn_digits' stands twice. Keep one of them."
    )


def test_a_dataset_that_is_not_there(pipeline: Run, edit: Callable[[str, str, str], None]) -> None:
    assert line_of(pipeline("prepare", "dataset=digitz")) == (
        "error: dataset: 'digitz' is unknown (breast_cancer, diabetes, digits, line). Did you mean 'digits'?"
    )
    edit("params.yaml", "cnn_digits: digits\n", "cnn_digits: digitz\n")
    assert line_of(pipeline("configure")) == (
        "error: params.yaml: experiment cnn_digits uses 'digitz', which is not in datasets (diabetes, breast_cancer, "
        "digits). Did you mean 'digits'?"
    )


def test_files_to_predict(checkout: Path, pipeline: Run, tmp_path: Path) -> None:
    model = ("model=nothing.keras", f"output={tmp_path / 'out.parquet'}")
    missing = tmp_path / "missing.parquet"
    assert line_of(pipeline("predict", *model, f"input={missing}")) == (
        f"error: {missing}: not found, expected a Parquet file."
    )
    damaged = tmp_path / "rows.csv"
    damaged.write_text("x,y\n1,2\n")
    assert line_of(pipeline("predict", *model, f"input={damaged}")).startswith(
        f"error: {damaged}: not a readable Parquet file ("
    )
    assert not (tmp_path / "out.parquet").exists()


@pytest.mark.slow
def test_a_truncated_model(checkout: Path, pipeline: Run, tmp_path: Path) -> None:
    assert pipeline("train", "experiment=linear_diabetes", "trainer.epochs=1").returncode == 0
    (model,) = checkout.glob("runs/*/output/model.keras")
    (rows,) = checkout.glob("runs/data/diabetes-*/test.parquet")
    cut = tmp_path / "cut.keras"
    cut.write_bytes(model.read_bytes()[:-100])
    out = tmp_path / "out.parquet"
    assert line_of(pipeline("predict", f"model={cut}", f"input={rows}", f"output={out}")).startswith(
        f"error: {cut}: not a readable Keras model ("
    )
    assert not out.exists()
    assert pipeline("predict", f"model={model}", f"input={rows}", f"output={out}").returncode == 0


def test_outside_of_a_checkout(pipeline: Run, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pipeline.train", "experiment=cnn_digits"]
    done = subprocess.run(command, cwd="/", env=environment(), capture_output=True, text=True, check=False)
    assert line_of(done) == "error: /: no dvc.yaml here or above. Run this inside a checkout of the pipeline."


def test_the_history_is_cut_off(checkout: Path, register: Callable[..., str]) -> None:  # noqa: F811
    path = checkout / "build" / "train" / "linear_diabetes" / "history.csv"
    path.write_text("epoch,loss,val_loss\n1,2.0\n")
    assert register(2).startswith(f"error: {path}: damaged (")
    assert register(2).endswith("Run: dvc repro -f train@linear_diabetes")


def test_a_journal_that_is_cut_off_is_mended(checkout: Path, register: Callable[..., str]) -> None:  # noqa: F811
    register()
    (path,) = (checkout / "runs").glob("*/journal.jsonl")
    whole = path.read_bytes()
    path.write_bytes(whole[:-30])
    register()
    assert path.read_text().count('"type": "end"') == 1


@pytest.fixture
def silent_server() -> Iterator[int]:
    """A port that takes connections and never answers."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(16)
        taken: list[socket.socket] = []
        threading.Thread(target=lambda: [taken.append(server.accept()[0]) for _ in range(16)], daemon=True).start()
        yield server.getsockname()[1]


KEPT = (
    "Check MLFLOW_TRACKING_URI and the server; everything is kept in runs/ and build/, and the next `make repro` "
    "delivers it."
)


@pytest.mark.slow
def test_an_mlflow_that_refuses_or_never_answers(
    pipeline: Run,
    register: Callable[..., str],  # noqa: F811
    silent_server: int,
) -> None:
    for port in (1, silent_server):
        uri = f"http://somebody:secret@127.0.0.1:{port}"
        started = time.monotonic()
        line = line_of(pipeline("register", MLFLOW_TRACKING_URI=uri))
        assert time.monotonic() - started < 60, "it waited for minutes"
        assert line.startswith(f"error: MLflow at http://127.0.0.1:{port}: ")
        assert line.endswith(KEPT)
        assert "secret" not in line
    assert " champion " in register()


@pytest.mark.slow
def test_a_store_that_is_damaged_or_of_another_version(checkout: Path, register: Callable[..., str]) -> None:  # noqa: F811
    register()
    database = checkout / "mlflow.db"
    whole = database.read_bytes()
    database.write_bytes(b"no database" * 1000)
    line = register(2)
    assert line.startswith(f"error: MLflow at sqlite:///{database}: ")
    assert "file is not a database" in line
    database.write_bytes(whole)
    with sqlite3.connect(database) as connection:
        connection.execute("update alembic_version set version_num = '0123456789ab'")
    connection.close()
    line = register(2)
    assert line.startswith(f"error: MLflow at sqlite:///{database}: ")
    assert "0123456789ab" in line
    database.write_bytes(whole)
    assert " champion " in register()


@pytest.fixture
def small_disk(checkout: Path, tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """`small_disk(options)` mounts a tmpfs at the checkout's runs/, where trainings write."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a tmpfs")
    folder = checkout / "runs"
    folder.mkdir()

    def mount(options: str) -> Path:
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], check=True)
        return folder

    yield mount
    subprocess.run(["umount", str(folder)], check=False)


@pytest.mark.slow
@pytest.mark.parametrize(("size", "prepared"), [("32k", False), ("100k", True)], ids=["data", "model"])
def test_a_disk_that_is_full(
    size: str, prepared: bool, small_disk: Callable[[str], Path], checkout: Path, pipeline: Run
) -> None:
    folder = small_disk(f"size={size}")
    line = line_of(pipeline("train", "experiment=linear_diabetes", "trainer.epochs=1"))
    assert line.startswith("error: ")
    assert ": No space left on device. Free some space" in line
    assert bool(list(folder.glob("data/*/schema.json"))) == prepared
    assert not list(folder.glob("*/output")), "half-written"


@pytest.mark.slow
def test_a_disk_that_is_read_only(small_disk: Callable[[str], Path], pipeline: Run) -> None:
    folder = small_disk("ro")
    line = line_of(pipeline("train", "experiment=linear_diabetes", "trainer.epochs=1"))
    assert line.startswith(f"error: {folder}")
    assert ": Read-only file system. Work in a checkout on a disk that can be written to." in line


def test_a_port_in_use(pipeline: Run, silent_server: int) -> None:
    assert line_of(pipeline("ports", str(silent_server), "UI_PORT")) == (
        f"error: port {silent_server} cannot be used (Address already in use). Stop what listens there, or add "
        "UI_PORT=<another>."
    )
    assert line_of(pipeline("ports", "x", "UI_PORT")) == "error: UI_PORT: found 'x', expected a port from 1 to 65535."
    for target, setting in (("ui", "UI_PORT"), ("tensorboard", "TENSORBOARD_PORT")):
        command = [*MAKE, target, f"{setting}={silent_server}"]
        done = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, check=False)
        assert done.returncode == 2
        line, ended = done.stderr.splitlines()
        assert line == (
            f"error: port {silent_server} cannot be used (Address already in use). Stop what listens there, or add "
            f"{setting}=<another>."
        )
        assert " *** [Makefile:" in ended  # make's own line; below another make its name has a number


@pytest.mark.slow
@pytest.mark.parametrize("command", ["prepare", "evaluate", "register"])
def test_ctrl_c_leaves_nothing_half_written(
    command: str,
    checkout: Path,
    register: Callable[..., str],  # noqa: F811
) -> None:
    options = {"prepare": ["dataset=digits"], "evaluate": ["experiment=linear_diabetes"], "register": []}[command]
    shutil.rmtree(checkout / "build" / "evaluate") if command == "evaluate" else None
    env = environment() | {"PYTHONPATH": str(checkout / "src")}
    for seconds in (0.3, 1.0, 2.0):
        process = subprocess.Popen(
            [sys.executable, "-m", f"pipeline.{command}", *options],
            cwd=checkout,
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        time.sleep(seconds)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
        if process.returncode == 130:
            assert errors.strip().splitlines()[-1] == "interrupted", errors
        # before our frame stands, Python itself answers; and it may have ended
        early = process.returncode == 1 and "KeyboardInterrupt" in errors
        assert process.returncode in (130, 0, -signal.SIGINT) or early, errors
        assert not list(checkout.glob("**/*.partial")), "half-written"
    if command == "register":
        assert " champion " in register()
