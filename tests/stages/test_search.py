"""Searches: the same trials for any number of workers, however often killed; one run in MLflow; the winner adopted."""

import json
import os
import random
import re
import shlex
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import pytest
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID

from pipeline.layout import Layout
from pipeline.tracking.store import Store
from tests.conftest import Run, Start, copy_checkout, in_checkout, made_once
from tests.zygote import Zygote

SEARCH = ["-m", "experiment=linear_line", "sweep=linear", "trainer.threads=1", "trainer.epochs=40"]
NAMES = ("cnn", "families", "grid", "linear", "logistic", "mlp", "rnn")
# chosen so that some trials are pruned and some diverge
PRUNED = ["sweep.pruner.name=median", "sweep.pruner.startup_trials=1", "sweep.lag=2", "sweep.trials=8"]
FOUND = [*SEARCH, *PRUNED, "sweep.name=found"]
PRINTED = "printed.txt"


@pytest.fixture(autouse=True)
def _own_store(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


def records(checkout: Path, sweep: str) -> list[dict]:
    found = [json.loads(path.read_text()) for path in (checkout / "runs" / "sweeps" / sweep).glob("*/job.json")]
    return sorted(found, key=lambda job: job["number"])


def trials(checkout: Path, sweep: str) -> list[tuple]:
    """What must be the same for any number of workers."""
    keys = ("number", "overrides", "status", "values", "epochs", "identity", "error")
    return [tuple(str(job[key]) for key in keys) for job in records(checkout, sweep)]


def models(checkout: Path) -> dict[str, bytes]:
    return {path.parent.parent.name: path.read_bytes() for path in checkout.glob("runs/*/output/model.keras")}


def marked(mark: str) -> list[int]:
    """The processes of a command that was started with this mark, and of all its workers."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if f"SEARCH_UNDER_TEST={mark}".encode() in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
    return found


def killed(process: "subprocess.Popen[str]", seconds: float) -> bool:
    """Kill the command and all of its workers after so long; return whether it was still at work."""
    deadline = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    if process.poll() is not None:
        return False
    for number in marked(process.args[-1]):
        with suppress(ProcessLookupError):
            os.kill(number, signal.SIGKILL)
    process.wait()
    return True


def worker_in_a_trial(process: "subprocess.Popen[str]", checkout: Path, sweep: str) -> int:
    """The number of a worker's process, as soon as one is in a trial."""
    while process.poll() is None:
        for job in records(checkout, sweep):
            if job["status"] == "RUNNING" and int(job["worker"].rpartition(":")[2] or 0) in marked(process.args[-1]):
                return int(job["worker"].rpartition(":")[2])
        time.sleep(0.02)
    raise AssertionError(process.communicate())


@pytest.fixture(scope="session")
def searched(tmp_path_factory: pytest.TempPathFactory, fresh_checkout: Path, zygote: Zygote) -> Path:
    """A checkout in which the search `found` has been run, by one worker; runs/PRINTED is what it said."""

    def make(folder: Path) -> None:
        copy_checkout(fresh_checkout, folder)
        done = zygote.run("pipeline.train", FOUND, folder, in_checkout(folder, {}))
        assert done.returncode == 0, done.stderr
        (folder / "runs" / PRINTED).write_text(done.stdout)

    return made_once(tmp_path_factory, "searched", make)


@pytest.mark.slow
def test_two_workers_killed_again_and_again_end_in_the_same_trials(
    searched: Path, checkout: Path, start_pipeline: Start
) -> None:
    expected, best = trials(searched, "found"), models(searched)
    assert {status for _, _, status, *_ in expected} >= {"FINISHED", "PRUNED"}
    assert sum(status != "FAILED" for _, _, status, *_ in expected) == 8
    assert len(best) == 3, "the models of the best three alone are kept"
    chance, kills = random.Random(7), 0
    for attempt in range(20):
        command = [*SEARCH, *PRUNED, "sweep.workers=2", "sweep.name=killed"]
        process = start_pipeline("train", *command, SEARCH_UNDER_TEST=command[-1])
        seconds = chance.uniform(6, 12) if attempt < 3 else 300
        if attempt == 1:  # one alone first, which is replaced
            os.kill(worker_in_a_trial(process, checkout, "killed"), signal.SIGKILL)
            seconds -= 5  # which it took to be in a trial
        if not killed(process, seconds):
            break
        kills += 1
    assert process.returncode == 0, process.communicate()
    assert kills >= 2
    assert trials(checkout, "killed") == expected
    assert models(checkout) == best


@pytest.mark.slow
def test_async_workers_that_are_interrupted_or_killed_end_with_as_many_trials(
    checkout: Path, start_pipeline: Start
) -> None:
    command = [*SEARCH, "sweep.mode=async", "sweep.trials=5", "sweep.workers=2", "sweep.name=async"]

    def begun() -> "tuple[subprocess.Popen[str], int]":
        process = start_pipeline("train", *command, SEARCH_UNDER_TEST=command[-1])
        return process, worker_in_a_trial(process, checkout, "async")

    process, _ = begun()
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130, told
    process, worker = begun()
    os.kill(worker, signal.SIGKILL)
    _, told = process.communicate(timeout=300)
    assert process.returncode == 0, told
    assert "has died (code -9)" in told
    jobs = records(checkout, "async")
    assert [job["number"] for job in jobs] == list(range(len(jobs)))
    # some may diverge, and are replaced
    assert [job["status"] for job in jobs if job["status"] != "FAILED"] == ["FINISHED"] * 5


@pytest.mark.slow
def test_a_search_is_one_run_in_mlflow_and_its_winner_becomes_an_experiment(
    searched: Path, checkout: Path, pipeline: Run, run: Run
) -> None:
    copy_checkout(searched, checkout)
    jobs = records(checkout, "found")
    best = min((job for job in jobs if job["status"] == "FINISHED"), key=lambda job: job["score"])
    printed = (checkout / "runs" / PRINTED).read_text()
    assert f"best: python -m pipeline.train {' '.join(best['overrides'])}" in printed
    page = (checkout / "runs" / "sweeps" / "found" / "page.html").read_text()
    assert best["identity"] in page
    store = Store(Layout(checkout))
    runs = store.client.search_runs([store.experiment("linear_line").experiment_id])
    (parent,) = [run for run in runs if run.data.tags["pipeline.identity"] == "sweep-found"]
    assert parent.data.metrics["best_val_loss"] == best["score"]
    children = {run.data.tags["pipeline.identity"]: run for run in runs if run is not parent}
    assert set(children) == {job["identity"] for job in jobs if job["identity"]}
    assert {run.data.tags[MLFLOW_PARENT_RUN_ID] for run in children.values()} == {parent.info.run_id}
    pruned = next(job for job in jobs if job["status"] == "PRUNED")
    assert children[pruned["identity"]].data.tags["pipeline.pruned"] == f"after epoch {pruned['epochs']} of 40"
    # the same command has nothing left to do; more trials go on where it ended
    again = pipeline("train", *FOUND)
    assert again.returncode == 0, again.stderr
    assert records(checkout, "found") == jobs
    # what was pruned is trained to its end on demand, from its checkpoint
    whole = pipeline("train", *pruned["overrides"])
    assert whole.returncode == 0, whole.stderr
    assert f"going on after epoch {pruned['epochs']}" in whole.stdout
    # the winner's training is not done again, and would have the same bits
    (checkout / "params.yaml").write_text(
        "seed: 1\nsplit: {seed: 1, test: 0.2, validation: 0.1}\n# kept\ndatasets: [diabetes]\n"
        "experiments: {linear_diabetes: diabetes}\npromotion: {minima: {linear_diabetes: {r2: 0.1}}}\n"
    )
    run("git", "commit", "-qam", "params")
    assert run("dvc", "init", "-q", "-f").returncode == 0
    adopted = pipeline("adopt", "sweep=found", "as=line_best")
    assert adopted.returncode == 0, adopted.stderr
    assert "its training is at hand" in adopted.stdout
    assert "# kept" in (checkout / "params.yaml").read_text()
    written = (checkout / "conf" / "experiment" / "line_best.yaml").read_text()
    assert f"# Trial {best['number']} of sweep found" in written
    given = shlex.join(["python", "-m", "pipeline.train", *FOUND])
    assert f"\n#   {given}\n" in written
    (scored,) = re.findall(r"\n# Test (r2 .*)\.\n", written)
    status = run("dvc", "status", "train@line_best")
    assert "up to date" in status.stdout, status.stdout + status.stderr
    lock = (checkout / "dvc.lock").read_text()
    forced = run("dvc", "repro", "-f", "-s", "train@line_best")
    assert forced.returncode == 0, forced.stderr
    assert (checkout / "dvc.lock").read_text() == lock
    assert f"line_best: {scored}; " in pipeline("evaluate", "experiment=line_best").stdout
    taken = pipeline("adopt", "sweep=found", "as=line_best")
    assert taken.returncode == 2
    assert taken.stderr.startswith("error: conf/experiment/line_best.yaml: is there already.")


def test_a_search_that_cannot_begin_leaves_nothing_and_another_space_under_its_name_is_refused(
    checkout: Path, pipeline: Run
) -> None:
    for arguments, error in {
        ("sweep.storage=mysql://host/db",): "sweep.storage: found 'mysql://host/db', expected postgresql://",
        ("sweep=nothing",): f"sweep: 'nothing' is unknown ({', '.join(NAMES)}).",
        ("sweep=cnn,mlp",): "sweep: found 'cnn,mlp', expected one search. Give several one after another.",
        ("hydra/launcher=joblib",): "hydra/launcher=joblib is for grids. A search has its own workers: sweep.workers=4",
        ("--cfg", "job"): "-m stands beside --cfg or --info, which show one configuration. Leave one of them out.",
    }.items():
        done = pipeline("train", *SEARCH, *arguments)
        assert done.returncode == 2, done.stdout
        assert done.stderr.startswith(f"error: {error}"), done.stderr
        assert not list(checkout.glob("runs/sweeps/*")), "nothing is left of it"
    shown = pipeline("train", "experiment=linear_line", "sweep=linear", "--cfg", "job")
    assert "name: tpe" in shown.stdout, shown.stderr
    completed = pipeline("train", "-sc", "query=bash", COMP_LINE="pipeline-train sweep=")
    assert completed.stdout.split() == [f"sweep={name}" for name in NAMES], completed.stderr
    small = [*SEARCH, "sweep.name=one", "sweep.trials=1", "trainer.epochs=1"]
    assert pipeline("train", *small).returncode == 0
    other = pipeline("train", *small, "model.l2=interval(0,1)")
    assert other.returncode == 2
    assert other.stderr.startswith("error: sweep one: sweep.space.model.l2 was tag(log, interval(1e-6, 1e-1)) when ")


def test_all_trials_failing_is_a_failure_with_the_first_reason(checkout: Path, pipeline: Run) -> None:
    huge = "trainer.optimizer.learning_rate=interval(1e30,1e31)"
    done = pipeline("train", *SEARCH, "sweep.trials=2", huge)
    assert done.returncode == 2
    *_, last = done.stderr.splitlines()
    assert last.startswith("error: 2 of 2 trials failed, first 0: ")
    assert "traceback in " in done.stderr
