"""A checkout of its own for every test that runs commands: nothing here touches the one under test."""

import gc
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from filelock import FileLock

from pipeline.config import TensorFlowConfig
from pipeline.tensorflow_process import set_environment
from tests.clones import IDENTITY, ROOT, environment, reproduce, shell
from tests.outputs import write_outputs
from tests.postgres import Server, programs, running_server
from tests.quick_python import quick_python
from tests.refusals import content
from tests.zygote import Zygote

TREE = (
    *("conf", "data/raw", "src", "params.yaml", "dvc.yaml", "requirements.lock"),
    *(".dvc/config", ".dvcignore", ".gitignore"),
)

# As a real run does before it imports TensorFlow. Test modules import it themselves, after this one.
PRECISION = os.environ.get("PIPELINE_TEST_PRECISION", "float32")
assert "tensorflow" not in sys.modules
set_environment(TensorFlowConfig(precision=PRECISION))
# as the commands' own processes do (processes.start_lean), before the slow imports
gc.set_threshold(50_000, 20, 20)

Run = Callable[..., subprocess.CompletedProcess[str]]
Start = Callable[..., "subprocess.Popen[str]"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long tests come first, so that the short ones fill what the processes have left at the end; of those, the
    one that makes the reproduced clone starts, and those that would wait for it follow when it is there."""

    def rank(item: pytest.Item) -> int:
        if item.get_closest_marker("slow") is None:
            return 3
        if "reproduced" not in item.fixturenames:  # type: ignore[attr-defined]
            return 1
        return 0 if item.name == "test_every_command_of_the_pages[0]" else 2

    items.sort(key=rank)


def pytest_collection_finish() -> None:
    """What is imported stays. Each training starts with a collection of garbage, which then need not go through it."""
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _threads() -> None:
    """TensorFlow's threads are set once in a process, before its first computation."""
    import tensorflow as tf

    threads = TensorFlowConfig().threads
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """A folder that `make` fills, once for all of pytest's processes. Tests work in copies of what is in it."""
    base = factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder, done = shared / name, shared / f"{name}.done"
    with FileLock(shared / f"{name}.lock"):
        if not done.exists():
            shutil.rmtree(folder, ignore_errors=True)
            make(folder)
            done.touch()
    return folder


def make_empty_store(folder: Path) -> None:
    code = "from pipeline.tracking.store import Store; from pipeline.layout import Layout; Store(Layout.find()).client"
    folder.mkdir()
    (folder / "dvc.yaml").touch()
    subprocess.run([sys.executable, "-c", code], cwd=folder, env=environment(), check=True)


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated store; a copy of it costs milliseconds where a new one costs seconds."""
    return made_once(tmp_path_factory, "store", make_empty_store) / "mlflow.db"


@pytest.fixture(scope="session")
def reproduced(tmp_path_factory: pytest.TempPathFactory, quick_shell: Callable[[Path, str], str]) -> Path:
    """A reproduced clone (clones.reproduce). That whole processes leave the same files is seen by the test of the same
    bits elsewhere, which runs each stage again."""
    return made_once(tmp_path_factory, "reproduced", lambda folder: reproduce(folder, quick_shell))


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    """A PostgreSQL server of this process' own."""
    found = programs()
    if found is None:
        pytest.skip("PostgreSQL's server is not installed (Debian's package postgresql)")
    with running_server(found) as server:
        yield server


@pytest.fixture
def postgres(postgres_server: Server) -> str:
    """The address of an empty database on it, with a password."""
    return postgres_server.new_database()


def make_checkout(root: Path, database: Path) -> None:
    """A copy of the sources and configuration in a git and DVC repository of its own, with an empty MLflow store."""
    for name in TREE:
        source, target = ROOT / name, root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            # byte code comes along, which each command would compile anew
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("*.egg-info"))
        else:
            shutil.copy2(source, target)
    shutil.copy2(database, root / "mlflow.db")
    # in one pack, which is copied faster than a file for each source
    for command in (["init", "-q"], ["add", "-A"], [*IDENTITY, "commit", "-qm", "start"], ["repack", "-adq"]):
        subprocess.run(["git", *command], cwd=root, check=True, capture_output=True)


@pytest.fixture(scope="session")
def fresh_checkout(tmp_path_factory: pytest.TempPathFactory, empty_database: Path) -> Path:
    """What each `checkout` is a copy of."""
    return made_once(tmp_path_factory, "checkout", lambda folder: make_checkout(folder, empty_database))


def copy_checkout(checkout: Path, target: Path) -> Path:
    """A copy with all times of files, so that byte code stays valid; over what is at `target`, if anything is."""
    target.mkdir(exist_ok=True)
    subprocess.run(["cp", "-a", f"{checkout}/.", str(target)], check=True)
    return target


@pytest.fixture
def checkout(tmp_path: Path, fresh_checkout: Path) -> Path:
    """A checkout of the test's own (make_checkout)."""
    return copy_checkout(fresh_checkout, tmp_path / "checkout")


def in_checkout(checkout: Path, extra: dict[str, str]) -> dict[str, str]:
    return environment() | {"PYTHONPATH": str(checkout / "src"), **extra}


@pytest.fixture
def run(checkout: Path) -> Run:
    """Run a command in the checkout, with its sources first on the path; returns the finished process."""

    def run_in(*command: str, **extra: str) -> subprocess.CompletedProcess[str]:
        env = in_checkout(checkout, extra)
        return subprocess.run(command, cwd=checkout, env=env, capture_output=True, text=True, check=False)

    return run_in


@pytest.fixture
def start(checkout: Path) -> Iterator[Start]:
    """As `run`, but returns the process at work. It leads a session of its own, which a Ctrl-C reaches as a whole."""
    started = []

    def start_in(*command: str, **extra: str) -> "subprocess.Popen[str]":
        env, pipe = in_checkout(checkout, extra), subprocess.PIPE
        process = subprocess.Popen(
            command, cwd=checkout, env=env, stdout=pipe, stderr=pipe, text=True, start_new_session=True
        )
        started.append(process)
        return process

    yield start_in
    # also what a leader that has ended left at work: it would write into the folder of a test that is over
    for process in started:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.fixture
def start_pipeline(start: Start) -> Start:
    """As `pipeline`, but a whole process, at work."""
    return lambda command, *arguments, **extra: start(sys.executable, "-m", f"pipeline.{command}", *arguments, **extra)


@pytest.fixture(scope="session")
def zygote() -> Iterator[Zygote]:
    started = Zygote()
    yield started
    started.close()


@pytest.fixture(scope="session")
def quick_shell(zygote: Zygote) -> Iterator[Callable[[Path, str], str]]:
    """As clones.shell, but the pipeline's commands, also as stages of DVC, do without the seconds of their imports."""
    with quick_python(zygote) as programs:
        yield lambda root, command: shell(root, command, programs)


@pytest.fixture
def pipeline(checkout: Path, zygote: Zygote) -> Run:
    """`pipeline("train", "experiment=...")` runs `python -m pipeline.train experiment=...`."""

    def run_command(command: str, *arguments: str, **extra: str) -> subprocess.CompletedProcess[str]:
        return zygote.run(f"pipeline.{command}", list(arguments), checkout, in_checkout(checkout, extra))

    return run_command


@pytest.fixture
def prepare(pipeline: Run) -> Callable[[str], None]:
    """`prepare("digits")` leaves that dataset as DVC's stages would."""

    def run_stages(dataset: str) -> None:
        for step in (("configure",), ("prepare", f"dataset={dataset}")):
            done = pipeline(*step)
            assert done.returncode == 0, done.stderr

    return run_stages


@pytest.fixture
def edit(checkout: Path) -> Callable[[str, str, str], None]:
    """Replace one piece of text of a file in the checkout."""

    def replace(name: str, old: str, new: str) -> None:
        path = checkout / name
        text = path.read_text()
        assert old in text, f"{old!r} is not in {name}"
        path.write_text(text.replace(old, new, 1))

    return replace


@pytest.fixture
def register(checkout: Path, pipeline: Run, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """`register(code)` runs the command, expects that exit code, and returns the last line of what it said."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    (checkout / "params.yaml").write_text(
        "seed: 1\nsplit: {seed: 1, test: 0.2, validation: 0.1}\ndatasets: [diabetes]\n"
        "experiments: {linear_diabetes: diabetes}\npromotion: {minima: {linear_diabetes: {r2: 0.1}}}\n"
    )
    write_outputs(checkout, "a" * 12)

    def run(code: int = 0) -> str:
        done = pipeline("register")
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout if code == 0 else done.stderr.splitlines()[-1]

    return run


@pytest.fixture
def unchanged(checkout: Path) -> Iterator[None]:
    """The test starts with outputs and a store, and must leave each of their bytes."""
    write_outputs(checkout, "a" * 12)
    before = content(checkout)
    assert {"mlflow.db", "build/train/linear_diabetes/model.keras"} < set(before)
    yield
    assert content(checkout) == before
