"""The default pipeline in clones: the same bits on a rerun, elsewhere, on a single core; carried by push and pull."""

import os
import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from mlflow.entities import Run

from tests.conftest import ROOT, environment

EXPERIMENTS = ("linear_diabetes", "logistic_breast_cancer", "logistic_digits", "cnn_digits", "rnn_digits")


def clone(target: Path) -> Path:
    """The working tree's tracked files, uncommitted changes included, as a repository of their own."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True).stdout.decode()
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    identity = ["-c", "user.name=test", "-c", "user.email=test@localhost"]
    for command in (["init", "-q"], ["add", "-A"], [*identity, "commit", "-qm", "start"]):
        subprocess.run(["git", *command], cwd=target, check=True, capture_output=True)
    return target


def dvc(root: Path, *arguments: str, cores: set[int] | None = None) -> str:
    """Run dvc in `root`, held to `cores` where they are given; return what it printed."""
    pin = (lambda: os.sched_setaffinity(0, cores)) if cores else None
    done = subprocess.run(
        ["dvc", *arguments], cwd=root, env=environment(), capture_output=True, text=True, preexec_fn=pin, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def shorten(root: Path) -> None:
    """One epoch for every experiment, so that bits can be compared often."""
    for name in EXPERIMENTS:
        path = root / "conf" / "experiment" / f"{name}.yaml"
        lines = ["  epochs: 1" if line.startswith("  epochs: ") else line for line in path.read_text().splitlines()]
        # as in a longer training, where XLA pays
        xla = ["  xla: 'on'"] if name == "rnn_digits" else []
        path.write_text(
            "\n".join([*lines[: lines.index("trainer:") + 1], *xla, *lines[lines.index("trainer:") + 1 :]]) + "\n"
        )


@pytest.mark.slow
def test_same_bits_elsewhere_and_carried_results(tmp_path: Path) -> None:
    """In a second clone: pulled results need no stage but register; forced, on a single core, come the same bits."""
    first = clone(tmp_path / "first")
    shorten(first)
    dvc(first, "repro", "-f")
    lock = (first / "dvc.lock").read_bytes()
    dvc(first, "remote", "add", "-d", "storage", str(tmp_path / "storage"))
    dvc(first, "push")
    second = clone(tmp_path / "second" / "elsewhere")
    shorten(second)
    shutil.copy2(first / "dvc.lock", second / "dvc.lock")
    shutil.copy2(first / ".dvc" / "config", second / ".dvc" / "config")
    dvc(second, "pull")
    printed = dvc(second, "repro")
    assert re.findall(r"Running stage '(.*)'", printed) == ["register"], "only the store is new"
    assert printed.count(" champion ") + printed.count(" challenger ") == len(EXPERIMENTS)
    assert (second / "dvc.lock").read_bytes() == lock
    printed = dvc(second, "repro", "-f", cores={min(os.sched_getaffinity(0))})
    assert len(re.findall(r"Running stage 'train@", printed)) == len(EXPERIMENTS)
    assert (second / "dvc.lock").read_bytes() == lock, "a forced rerun on a single core changed dvc.lock"


@pytest.mark.slow
def test_experiment_in_a_temporary_tree_reports_to_the_projects_store(tmp_path: Path) -> None:
    root = clone(tmp_path / "clone")
    shorten(root)
    dvc(root, "exp", "run", "--temp", "-S", "seed=7", "train@linear_diabetes")
    from pipeline.layout import Layout
    from pipeline.tracking.store import Store

    store = Store(Layout(root))
    runs: list[Run] = []
    deadline = time.monotonic() + 60  # a training under DVC does not wait for what delivers its journal
    while not (runs and runs[0].info.status == "FINISHED") and time.monotonic() < deadline:
        time.sleep(0.5)
        runs = list(store.client.search_runs([store.experiment("linear_diabetes").experiment_id]))
    (run,) = runs
    assert run.info.status == "FINISHED"
    assert run.data.params["seed"] == "7"
    assert (root / "mlflow.db").is_file()
