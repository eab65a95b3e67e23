"""Workers elsewhere: two checkouts that share a PostgreSQL alone, under Slurm, on Ray; other checkouts are refused."""

import os
import shutil
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID

from pipeline.layout import Layout
from pipeline.search.study import Study
from pipeline.search.trial import status_of
from pipeline.sweeping.order import Order
from pipeline.tracking.store import Store
from tests.conftest import Run, in_checkout
from tests.postgres import PASSWORD, Server
from tests.stages.test_search import records, trials
from tests.zygote import Zygote

SEARCH = ["-m", "experiment=linear_line", "sweep=linear", "trainer.threads=1", "trainer.epochs=10"]
# few trials, most of which depend on those before them
SEARCH += ["sweep.trials=5", "sweep.lag=2", "sweep.sampler.startup=1"]
SHARED = [*SEARCH, "sweep.name=shared", "sweep.storage=${oc.env:SWEEP_STORAGE}"]
SLURM = ["sweep.on=slurm", "sweep.address=local"]


def begun(folder: Path, environment: dict[str, str]) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "pipeline.train", *SHARED]
    env, pipe = in_checkout(folder, environment), subprocess.PIPE
    return subprocess.Popen(command, cwd=folder, env=env, stdout=pipe, stderr=pipe, text=True, start_new_session=True)


def killed_in_a_trial(process: "subprocess.Popen[str]", folder: Path, study: Study) -> int:
    """Kill the process while it works on a trial, and return the trial's number."""
    while process.poll() is None:
        for job in records(folder, "shared") if (folder / "runs" / "sweeps" / "shared").is_dir() else []:
            if job["status"] == "RUNNING":
                os.killpg(process.pid, signal.SIGSTOP)
                if status_of(study.trials()[job["number"]]) == "RUNNING":
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()
                    return int(job["number"])
                os.killpg(process.pid, signal.SIGCONT)
        time.sleep(0.005)
    raise AssertionError(process.communicate())


def opened(storage: str, layout: Layout) -> Study:
    """The search, once a command has begun it."""
    for _ in range(600):
        if list(layout.sweeps.glob("shared/sweep.json")):
            return Study.open(storage, "shared", layout)
        time.sleep(0.1)
    raise AssertionError("no search begins")


def command_lines(storage: str) -> list[str]:
    """Of all processes that know this storage."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if f"SWEEP_STORAGE={storage}".encode() in (folder / "environ").read_bytes():
                found.append((folder / "cmdline").read_text())
        except OSError:
            continue
    return found


@pytest.mark.slow
def test_two_checkouts_share_a_search_by_postgres_alone(
    checkout: Path, pipeline: Run, zygote: Zygote, postgres_server: Server, tmp_path: Path, monkeypatch: Any
) -> None:
    alone = pipeline("train", *SEARCH, "sweep.name=shared")
    assert alone.returncode == 0, alone.stderr
    expected = trials(checkout, "shared")
    (checkout / "runs").rename(tmp_path / "before")
    storage, store = postgres_server.new_database(), postgres_server.new_database()
    environment = {"SWEEP_STORAGE": storage, "MLFLOW_TRACKING_URI": store}
    other = Path(shutil.copytree(checkout, tmp_path / "other", symlinks=True))
    processes = [begun(folder, environment) for folder in (other, checkout)]
    try:
        number = killed_in_a_trial(processes[0], other, opened(storage, Layout(other)))
        seen = command_lines(storage)
        assert seen
        printed = processes[1].communicate(timeout=300)
        assert processes[1].returncode == 0, printed
    finally:
        for process in processes:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
    assert trials(checkout, "shared") == expected
    (taken,) = [job for job in records(checkout, "shared") if job["number"] == number]
    assert taken["worker"].endswith(f":{processes[1].pid}")
    # one run above, and one for each identity below, whichever machine trained it
    monkeypatch.setenv("MLFLOW_TRACKING_URI", store)
    client = Store(Layout(checkout)).client
    places = [place.experiment_id for place in client.search_experiments()]
    runs = {run.data.tags["pipeline.identity"]: run for run in client.search_runs(places)}
    assert len(client.search_runs(places)) == len(runs)
    assert set(runs) == {"sweep-shared", *(job["identity"] for job in records(checkout, "shared") if job["identity"])}
    parent = runs.pop("sweep-shared")
    assert parent.info.status == "FINISHED"
    assert {run.data.tags[MLFLOW_PARENT_RUN_ID] for run in runs.values()} == {parent.info.run_id}
    # the password is nowhere
    kept = [path for folder in (checkout, other) for path in (folder / "runs").rglob("*") if path.is_file()]
    assert not [path for path in kept if PASSWORD.encode() in path.read_bytes()]
    told = [*seen, *printed, *(str(run.data.to_dictionary()) for run in (parent, *runs.values()))]
    assert not [text for text in told if PASSWORD in text]
    # what joins from a checkout in another state is refused, whichever command starts it
    (other / "src" / "pipeline" / "training" / "fit.py").open("a").write("\nEDITED = True\n")
    command = [*SHARED, "sweep.trials=6"]
    code = zygote.run("pipeline.train", command, other, in_checkout(other, environment))
    assert code.returncode == 2
    assert code.stderr.startswith("error: sweep shared was begun with other code ("), code.stderr
    (other / "requirements.lock").open("a").write("# edited\n")
    command = [sys.executable, "-m", "pipeline.worker"]
    pipe, env = subprocess.PIPE, in_checkout(other, environment)
    with subprocess.Popen(command, stdin=pipe, stderr=pipe, cwd=other, env=env) as worker:
        assert worker.stdin is not None
        assert worker.stderr is not None
        # Its standard input stays open: a worker ends with it.
        worker.stdin.write(Order("shared", storage, 0.0, 6).line())
        worker.stdin.flush()
        refused = worker.stderr.read().decode()
    assert worker.returncode == 2
    assert refused.startswith("error: sweep shared was begun with other code and requirements.lock ("), refused


@pytest.mark.slow
@pytest.mark.parametrize(("package", "place"), [("submitit", SLURM), ("ray", ["sweep.on=ray"])], ids=["slurm", "ray"])
def test_workers_of_a_cluster_find_the_same_trials(
    package: str, place: list[str], checkout: Path, pipeline: Run, run: Run
) -> None:
    if find_spec(package) is None:
        pytest.skip(f"{package} is not installed (requirements-cluster.lock)")
    search = [*SEARCH, "sweep.trials=4"]
    alone = pipeline("train", *search, "sweep.name=alone")
    assert alone.returncode == 0, alone.stderr
    (checkout / "runs").rename(checkout / "before")
    (checkout / "before" / "sweeps" / "alone").rename(checkout / "alone")
    done = run(sys.executable, "-m", "pipeline.train", *search, "sweep.name=cluster", "sweep.workers=2", *place)
    assert done.returncode == 0, done.stdout + done.stderr
    (checkout / "alone").rename(checkout / "runs" / "sweeps" / "alone")
    assert trials(checkout, "cluster") == trials(checkout, "alone")
    assert done.stdout.count("\ntrial ") == len(trials(checkout, "alone")), "each is told once"
