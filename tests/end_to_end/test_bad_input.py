"""Data, files, disks and stores that cannot be used: one clear line, exit code 2, outputs and registry as they were."""

import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from pipeline.errors import INTERRUPTED
from pipeline.layout import Layout
from pipeline.tracking.journal import read
from pipeline.tracking.store import Store
from tests.clones import MAKE, ROOT, environment
from tests.conftest import Run, Start
from tests.end_to_end.test_kill import once
from tests.outputs import write_outputs
from tests.refusals import content, line_of


def inline(checkout: Path, rows: str, columns: str = "[x, y]") -> None:
    (checkout / "conf" / "dataset" / "made.yaml").write_text(
        f"defaults:\n  - inline_schema\ntask: regression\ncolumns: {columns}\nrows: {rows}\n"
    )


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ("[]", "dataset made: found 0 rows, expected at least one."),
        (
            "[[1, 2], [2, .nan]]",
            "dataset made: column 'y': 1 value is not a finite number (row 2: a missing value).",
        ),
        (
            "[[1, 2], [2, .inf], [3, -.inf]]",
            "dataset made: column 'y': 2 values are not a finite number (row 2: 'inf'; row 3: '-inf'). Infinity is no "
            "number to learn from.",
        ),
        ("[[1, 2], [3]]", "dataset made: row 1 has 1 values, expected 2 (x, y)."),
        (
            "[[1, 2], [2, 4]]",
            "dataset made: split validation has 0 rows, expected at least 1. Add rows, enlarge the split, or try "
            "another split.seed in params.yaml.",
        ),
    ],
    ids=["empty", "NaN label", "infinite label", "ragged", "empty split"],
)
@pytest.mark.usefixtures("unchanged")
def test_rows_that_no_model_can_learn_from(rows: str, expected: str, checkout: Path, pipeline: Run) -> None:
    inline(checkout, rows)
    done = pipeline("prepare", "dataset=made")
    assert line_of(done) == f"error: {expected}"


@pytest.mark.usefixtures("unchanged")
def test_a_class_absent_from_a_split(pipeline: Run) -> None:
    done = pipeline("prepare", "dataset=digits", "split.validation=0.005")
    assert line_of(done) == (
        "error: dataset digits: split validation has 0 rows of class '1', expected at least 1. Add rows, enlarge the "
        "split, or try another split.seed in params.yaml."
    )


NODATA = "data = np.asarray(bunch.data, np.float64)"


@pytest.mark.parametrize(("row", "split"), [(3, "test"), (17, "validation")])
def test_a_value_that_stands_for_no_data(
    row: int, split: str, pipeline: Run, edit: Callable[[str, str, str], None], checkout: Path
) -> None:
    """In a row that is not trained on, so that nothing is learned of it: the prediction would not be finite."""
    edit("src/pipeline/data/sources/sklearn.py", NODATA, f"{NODATA}; data[{row}, 2] = -1e140")
    for command in (("configure",), ("prepare", "dataset=diabetes")):
        assert pipeline(*command).returncode == 0
    train = ("train", "experiment=linear_diabetes", "trainer.epochs=1", "output=build/train/linear_diabetes")
    done = pipeline(*train, MLFLOW_TRACKING_URI="")
    raw = "'bmi' is -1e+140. Mend or drop such rows in the source"
    if split == "validation":
        assert re.fullmatch(rf"error: row \w+ has no finite features: in that row, {re.escape(raw)}\.", line_of(done))
        return
    assert done.returncode == 0, done.stderr
    place = checkout / "build" / "train" / "linear_diabetes" / "predictions.parquet"
    expected = (
        rf"error: {place}: 'prediction' of test row \w+ is -?(inf|nan), "
        rf"expected a finite number \(1 of \d+ rows are not\)\. In that row, {re.escape(raw)}, or train again\."
    )
    assert re.fullmatch(expected, line_of(pipeline("evaluate", "experiment=linear_diabetes")))
    assert not (checkout / "build" / "evaluate").exists(), "so nothing can be promoted"
    rows = f"data/prepared/diabetes/{split}.parquet"
    done = pipeline("predict", "model=linear_diabetes", f"input={rows}", "output=out.parquet")
    assert re.fullmatch(
        rf"error: {rows}: 1 row has no finite answer \(row \d+\), because values are too large\. Mend or leave out\.",
        line_of(done),
    )
    assert not (checkout / "out.parquet").exists()


def test_constant_columns_are_named(pipeline: Run) -> None:
    done = pipeline("prepare", "dataset=digits", "dataset.images=false")
    assert done.returncode == 0, done.stderr
    constant = "pixel_0_0, pixel_4_0, pixel_4_7"
    assert f"digits: constant in the training rows, so that no model learns from it: {constant}\n" in done.stdout


@pytest.mark.usefixtures("unchanged")
def test_one_class_only(pipeline: Run, edit: Callable[[str, str, str], None]) -> None:
    edit(
        "src/pipeline/data/sources/sklearn.py", "np.array(classes)[bunch.target]", "np.array(classes)[0 * bunch.target]"
    )
    assert line_of(pipeline("prepare", "dataset=digits")) == (
        "error: dataset digits: every row is of one class, expected at least two classes."
    )


@pytest.mark.slow
def test_a_truncated_model(checkout: Path, pipeline: Run, tmp_path: Path) -> None:
    assert pipeline("train", "experiment=linear_diabetes", "trainer.epochs=1").returncode == 0
    (model,) = checkout.glob("runs/*/output/model.keras")
    (rows,) = checkout.glob("runs/data/diabetes-*/test.parquet")
    cut = tmp_path / "cut.keras"
    cut.write_bytes(model.read_bytes()[:-100])
    out = tmp_path / "out.parquet"
    assert line_of(pipeline("predict", f"model={cut}", f"input={rows}", f"output={out}")) == (
        f"error: {cut}: not a readable Keras model (cut off, or of another kind). Train it again."
    )
    assert not out.exists()
    assert pipeline("predict", f"model={model}", f"input={rows}", f"output={out}").returncode == 0


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (
            "epoch,loss,val_loss\n1,2.0\n",
            "damaged (float() argument must be a string or a real number, not 'NoneType')",
        ),
        ("epoch,loss,val_loss\n1,x,2.0\n", "damaged (could not convert string to float: 'x')"),
        ("loss,val_loss\n1.0,2.0\n", "damaged (columns loss, val_loss, expected epoch)"),
        ("", "no epochs in it"),
    ],
    ids=["cut off", "no number", "no epochs' numbers", "empty"],
)
def test_a_history_that_cannot_be_read(checkout: Path, register: Callable[..., str], text: str, what: str) -> None:
    path = checkout / "build" / "train" / "linear_diabetes" / "history.csv"
    path.write_text(text)
    before = content(checkout)
    assert register(2) == f"error: {path}: {what}. Run: dvc repro -f train@linear_diabetes"
    del before["mlflow.db"]  # of the run that is to be registered it knows the name
    assert before.items() <= content(checkout).items()
    assert not Store(Layout(checkout)).client.search_registered_models()


def test_a_journal_that_is_cut_off_is_mended(checkout: Path, register: Callable[..., str]) -> None:
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


DELIVERS = "; everything is kept in runs/ and build/, and the next `make repro` delivers it."


@pytest.mark.slow
def test_an_mlflow_that_refuses_or_never_answers(
    checkout: Path, pipeline: Run, register: Callable[..., str], silent_server: int
) -> None:
    before = content(checkout)
    check = "Check MLFLOW_TRACKING_URI and the server"
    slow = f"no answer in 3 s. {check}, or give it more time with MLFLOW_HTTP_REQUEST_TIMEOUT"
    for port, what in ((1, f"connection refused. {check}"), (silent_server, slow)):
        uri = f"http://somebody:secret@127.0.0.1:{port}"
        started = time.monotonic()
        assert line_of(pipeline("register", MLFLOW_TRACKING_URI=uri, MLFLOW_HTTP_REQUEST_TIMEOUT="3")) == (
            f"error: MLflow at http://127.0.0.1:{port}: {what}{DELIVERS}"
        )
        assert time.monotonic() - started < 60, "it waited for minutes"
    assert content(checkout) == before
    assert " champion " in register()


@pytest.mark.slow
def test_a_store_that_is_damaged_or_of_another_version(checkout: Path, register: Callable[..., str]) -> None:
    register()
    before = content(checkout)
    database = checkout / "mlflow.db"
    uri, whole = f"sqlite:///{database}", database.read_bytes()
    database.write_bytes(b"no database" * 1000)
    assert register(2) == (f"error: MLflow at {uri}: no database, or a damaged one. Move that file away{DELIVERS}")
    database.write_bytes(whole)
    with sqlite3.connect(database) as connection:
        connection.execute("update alembic_version set version_num = '0123456789ab'")
    connection.close()
    assert register(2) == (
        f"error: MLflow at {uri}: its schema is of another version of MLflow. Copy it and run `mlflow db upgrade "
        f"{uri}`; if that knows no such version, move the file away{DELIVERS}"
    )
    database.write_bytes(whole)
    assert content(checkout) == before
    assert " champion " in register()


@pytest.fixture
def small_disk(checkout: Path) -> Iterator[Callable[[str, str], Path]]:
    """`small_disk(folder, options)` mounts a tmpfs at that folder of the checkout."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a tmpfs")
    mounted = []

    def mount(name: str, options: str) -> Path:
        folder = checkout / name
        folder.mkdir(parents=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], check=True)
        mounted.append(folder)
        return folder

    yield mount
    for folder in mounted:
        # whatever still follows a training there
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


Mount = Callable[[str, str], Path]
FULL = (
    "No space left on device. Free some space (build/features/, old folders in runs/, `dvc gc -w`). Nothing is "
    "half-written; run the same command again then."
)
READ_ONLY = (
    "Read-only file system. Work in a checkout on a disk that can be written to. Nothing is half-written; run the same "
    "command again then."
)


@pytest.mark.slow
@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize(
    ("size", "options", "left"),
    [
        ("32k", [], []),
        ("224k", ["trainer.epochs=1000"], ["schema.json"]),
        ("236k", ["trainer.epochs=300", "checkpoint.every_epochs=1"], ["schema.json", "*.ckpt"]),
        ("236k", ["trainer.epochs=1"], ["schema.json"]),
    ],
    ids=["data", "TensorBoard", "checkpoint", "model"],
)
def test_a_disk_that_is_full(
    size: str, options: list[str], left: list[str], small_disk: Mount, checkout: Path, pipeline: Run, tmp_path: Path
) -> None:
    folder = small_disk("runs", f"size={size}")
    store = f"sqlite:///{tmp_path}/elsewhere.db"
    done = pipeline("train", "experiment=linear_diabetes", *options, MLFLOW_TRACKING_URI=store)
    assert line_of(done) == f"error: {FULL}"
    for name in ("schema.json", "*.ckpt"):
        assert bool(list(folder.rglob(name))) == (name in left), name
    assert not list(folder.glob("*/output")), "half-written"
    assert not list(folder.rglob("*.partial")), "half-written"


@pytest.mark.slow
@pytest.mark.usefixtures("unchanged")
def test_a_disk_that_is_read_only(small_disk: Mount, pipeline: Run) -> None:
    folder = small_disk("runs", "ro")
    assert line_of(pipeline("train", "experiment=linear_diabetes", "trainer.epochs=1")) == (
        f"error: {folder}/data: {READ_ONLY}"
    )


@pytest.mark.slow
def test_a_full_disk_for_what_evaluate_writes(small_disk: Mount, checkout: Path, pipeline: Run) -> None:
    write_outputs(checkout, "a" * 12)
    shutil.rmtree(checkout / "build" / "evaluate")
    folder = small_disk("build/evaluate", "size=8k")
    assert line_of(pipeline("evaluate", "experiment=linear_diabetes")) == f"error: {FULL}"
    assert list(folder.iterdir()) == [], "half-written"


@pytest.mark.slow
def test_a_full_disk_for_what_register_writes(
    small_disk: Mount, checkout: Path, pipeline: Run, register: Callable[..., str]
) -> None:
    artifacts, elsewhere = small_disk("mlartifacts", "size=8k"), small_disk("small", "size=200k")
    before = content(checkout)
    full = f"No space left on device. Free some space{DELIVERS}"
    assert register(2) == f"error: MLflow at sqlite:///{checkout}/mlflow.db: {full}"
    uri = f"sqlite:///{elsewhere}/mlflow.db"
    assert line_of(pipeline("register", MLFLOW_TRACKING_URI=uri)) == f"error: MLflow at {uri}: {full}"
    uri = f"sqlite:///{small_disk('protected', 'ro')}/mlflow.db"
    assert line_of(pipeline("register", MLFLOW_TRACKING_URI=uri)) == (
        f"error: MLflow at {uri}: cannot be written to. Give yourself the right to write there, or set "
        f"MLFLOW_TRACKING_URI{DELIVERS}"
    )
    assert not Store(Layout(checkout)).client.search_registered_models()
    subprocess.run(["mount", "-o", "remount,size=10m", str(artifacts)], check=True)
    assert " champion " in register()
    assert {name: digest for name, digest in before.items() if name[:2] != "ml"}.items() <= content(checkout).items()


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


def interrupted(process: "subprocess.Popen[str]", seconds: float) -> int:
    """The exit code after Ctrl-C in so many seconds, as a terminal gives it: to every process of the command."""
    time.sleep(seconds)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    if process.returncode == INTERRUPTED:
        assert errors.strip().splitlines()[-1] == "interrupted", errors
    # before our frame stands, Python itself answers; and it may have ended
    early = process.returncode == 1 and "KeyboardInterrupt" in errors
    assert process.returncode in (INTERRUPTED, 0, -signal.SIGINT) or early, errors
    return process.returncode


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    [
        ["configure"],
        ["prepare", "dataset=digits"],
        ["evaluate", "experiment=linear_diabetes"],
        ["register"],
        ["predict", "model=model.keras", "input=rows.parquet", "output=out.parquet"],
    ],
    ids=lambda command: command[0],
)
def test_ctrl_c_leaves_nothing_half_written(
    command: list[str], checkout: Path, pipeline: Run, start_pipeline: Start, register: Callable[..., str]
) -> None:
    if command[0] == "evaluate":
        shutil.rmtree(checkout / "build" / "evaluate")
    if command[0] == "predict":
        assert pipeline("train", "experiment=linear_diabetes", "trainer.epochs=1").returncode == 0
        shutil.copy2(*checkout.glob("runs/*/output/model.keras"), checkout / "model.keras")
        shutil.copy2(*checkout.glob("runs/data/*/test.parquet"), checkout / "rows.parquet")
    codes = []
    for seconds in (0.3, 0.6, 0.9, 1.2, 2.0):
        codes.append(interrupted(start_pipeline(*command), seconds))
        assert not list(checkout.glob("**/*.partial")), "half-written"
    assert INTERRUPTED in codes, "never while it was at work"
    assert pipeline(*command, MLFLOW_TRACKING_URI="").returncode == 0
    if command[0] == "register":
        assert " champion " in register()


# A shell that the command replaces, and one that waits for it and ends as the signal would end it, or, if it hears of
# the signal only after the command's end, with the command's code.
CODES = {"bash": [INTERRUPTED], "dash": [-int(signal.SIGINT), INTERRUPTED]}


def journaled(checkout: Path) -> list[int]:
    """The epochs in the journal of the only run that there is, if there is one."""
    records = [record for path in checkout.glob("runs/*/journal.jsonl") for record in read(path)]
    return [record["epoch"] for record in records if record["type"] == "metrics"]


@pytest.mark.slow
def test_ctrl_c_under_dvc_repro(checkout: Path, run: Run, start: Start, edit: Callable[[str, str, str], None]) -> None:
    """Under one shell after the other, each of which goes on where the one before was interrupted."""
    edit("conf/experiment/linear_diabetes.yaml", "epochs: 200", "epochs: 4000")
    command = ["dvc", "repro", "train@linear_diabetes"]
    for shell, codes in CODES.items():
        if (found := shutil.which(shell)) is None:
            continue
        process = start(*command, SHELL=found)
        once(checkout, process, len(journaled(checkout)) + 20)
        os.killpg(process.pid, signal.SIGINT)
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 255, shell
        *_, told, failed = [line for line in errors.splitlines() if line]
        assert told == "interrupted", shell
        assert failed.startswith("ERROR: failed to reproduce 'train@linear_diabetes'"), shell
        assert failed.endswith(tuple(f", exited with {code}" for code in codes)), shell
        assert not (checkout / "build" / "train" / "linear_diabetes").exists(), shell
    done = run(*command)
    assert done.returncode == 0, done.stderr
    assert "linear_diabetes: going on after epoch " in done.stdout
    assert "Stage 'prepare@diabetes' didn't change, skipping" in done.stdout
    assert journaled(checkout) == list(range(1, 4001))
