"""The default pipeline in clones: the same bits on a rerun, elsewhere, on a single core; carried by push and pull."""

import json
import os
import platform
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from mlflow.entities import Run as MlflowRun

from tests.clones import EXPERIMENTS, IDENTITY, copy, environment, short_clone
from tests.conftest import Run

Shell = Callable[[Path, str], str]


def dvc(root: Path, *arguments: str, cores: set[int] | None = None) -> str:
    """Run dvc in `root`, held to `cores` where they are given; return what it printed."""
    pin = (lambda: os.sched_setaffinity(0, cores)) if cores else None
    done = subprocess.run(
        ["dvc", *arguments], cwd=root, env=environment(), capture_output=True, text=True, preexec_fn=pin, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
def test_same_bits_elsewhere_and_carried_results(reproduced: Path, tmp_path: Path) -> None:
    """In a second clone: pulled results need no stage but register; forced, on a single core, come the same bits. These
    are whole processes, and those that have made the pulled results were none (conftest.reproduced)."""
    first = copy(reproduced, tmp_path / "first")
    lock = (first / "dvc.lock").read_bytes()
    dvc(first, "remote", "add", "-d", "storage", str(tmp_path / "storage"))
    second = tmp_path / "second" / "elsewhere"
    for command in (
        [*IDENTITY, "commit", "-qm", "Where results are kept", ".dvc/config", "dvc.lock"],
        ["clone", "-q", str(first), str(second)],
    ):
        subprocess.run(["git", *command], cwd=first, check=True, capture_output=True)
    dvc(first, "push")
    dvc(second, "pull")
    printed = dvc(second, "repro")
    assert re.findall(r"Running stage '(.*)'", printed) == ["register"], "only the store is new"
    assert printed.count(" champion ") + printed.count(" challenger ") == len(EXPERIMENTS)
    assert (second / "dvc.lock").read_bytes() == lock
    printed = dvc(second, "repro", "-f", cores={min(os.sched_getaffinity(0))})
    assert len(re.findall(r"Running stage 'train@", printed)) == len(EXPERIMENTS)
    assert (second / "dvc.lock").read_bytes() == lock, "a forced rerun on a single core changed dvc.lock"


@pytest.mark.slow
def test_same_bits_on_another_processor(
    checkout: Path, run: Run, pipeline: Run, prepare: Callable[[str], None]
) -> None:
    """One without AVX-512 and VNNI, by which TensorFlow else decides."""
    emulator = shutil.which("qemu-x86_64")
    if emulator is None or platform.machine() != "x86_64":
        pytest.skip("no qemu-x86_64 (Debian's qemu-user) on x86-64 here")
    prepare("diabetes")
    options = ["experiment=linear_diabetes", "trainer.epochs=5"]
    emulated = [emulator, "-cpu", "Haswell", sys.executable, "-m", "pipeline.train"]
    for done in (pipeline("train", *options, "output=here"), run(*emulated, *options, "output=there")):
        assert done.returncode == 0, done.stderr
        assert "not reproduced" not in done.stdout
    for name in ("model.keras", "history.csv", "predictions.parquet", "identity.json"):
        assert (checkout / "here" / name).read_bytes() == (checkout / "there" / name).read_bytes(), name


@pytest.mark.slow
def test_experiment_in_a_temporary_tree_reports_to_the_projects_store(tmp_path: Path, quick_shell: Shell) -> None:
    root = short_clone(tmp_path / "clone")
    quick_shell(root, "dvc exp run --temp -S seed=7 train@linear_diabetes")
    from pipeline.layout import Layout
    from pipeline.tracking.store import Store

    store = Store(Layout(root))
    runs: list[MlflowRun] = []
    deadline = time.monotonic() + 180  # a training under DVC does not wait for what delivers its journal
    while not (runs and runs[0].info.status == "FINISHED") and time.monotonic() < deadline:
        time.sleep(0.5)
        runs = list(store.client.search_runs([store.experiment("linear_diabetes").experiment_id]))
    (run,) = runs
    assert run.info.status == "FINISHED"
    assert run.data.params["seed"] == "7"
    assert (root / "mlflow.db").is_file()


@pytest.mark.slow
def test_queued_experiments_are_run_one_after_another_and_shown_with_their_scores(
    tmp_path: Path, quick_shell: Shell
) -> None:
    root = short_clone(tmp_path / "clone")
    epochs = "conf/experiment/linear_diabetes.yaml:trainer.epochs=2"
    quick_shell(root, f"dvc exp run --queue -S seed=7,8 -S {epochs} evaluate@linear_diabetes")
    quick_shell(root, "dvc exp run --run-all")
    status = subprocess.run(["git", "status", "--short"], cwd=root, check=True, capture_output=True, text=True)
    assert not status.stdout, "the checkout stays as it is"
    (baseline,) = [one for one in json.loads(dvc(root, "exp", "show", "--json")) if one["rev"] != "workspace"]
    scores = {}
    for experiment in baseline["experiments"]:
        shown = experiment["revs"][0]["data"]
        found = shown["metrics"]["build/evaluate/linear_diabetes/metrics.json"]["data"]
        assert found["low"] < found["score"] < found["high"]
        scores[shown["params"]["params.yaml"]["data"]["seed"]] = found["score"]
    assert set(scores) == {7, 8}
    assert scores[7] != scores[8]
    journals = [path.read_text() for path in root.glob("runs/*/journal.jsonl")]
    assert len(journals) == 2
    assert all('"trainer.epochs": 2' in journal for journal in journals)
