"""Kinds of searches through the real command: several objectives with a constraint, conditions and experiments; a
search that an experiment's file chooses; a grid by the workers of a search; and grids that are refused."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Run

SMALL = """# @package _global_
defaults:
  - override /hydra/sweeper: search

sweep:
  trials: 5
  objectives: [val_loss, parameters]
  constraints: [parameters <= 10]
  space:
    experiment: choice(linear_line, linear_diabetes)
    trainer.optimizer.name: choice(adam, sgd)
    trainer.optimizer.momentum: {when: {trainer.optimizer.name: sgd}, of: "interval(0, 0.9)"}
    trainer.optimizer.learning_rate: tag(log, interval(1e-3, 1e-2))
"""


@pytest.fixture(autouse=True)
def _own_store(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


def records(checkout: Path) -> list[dict]:
    found = [json.loads(path.read_text()) for path in checkout.glob("runs/sweeps/*/*/job.json")]
    return sorted(found, key=lambda job: job["number"])


@pytest.mark.slow
def test_objectives_constraint_conditions_and_experiments_in_one_search(checkout: Path, pipeline: Run) -> None:
    (checkout / "conf" / "sweep" / "small.yaml").write_text(SMALL)
    done = pipeline("train", "-m", "sweep=small", "trainer.epochs=3", "sweep.name=small")
    assert done.returncode == 0, done.stderr
    jobs = records(checkout)
    assert len(jobs) == 5
    assert {job["experiment"] for job in jobs} == {"linear_line", "linear_diabetes"}
    assert {job["params"]["trainer.optimizer.name"] for job in jobs} == {"adam", "sgd"}
    for job in jobs:
        assert ("trainer.optimizer.momentum" in job["params"]) == (job["params"]["trainer.optimizer.name"] == "sgd")
        weights = 2 if job["experiment"] == "linear_line" else 11
        assert job["values"][1] == weights
        assert job["constraints"] == [weights - 10]
    fine = [job for job in jobs if job["experiment"] == "linear_line"]
    best = min(fine, key=lambda job: job["score"])
    assert f"best val_loss: python -m pipeline.train {' '.join(best['overrides'])}\n" in done.stdout
    assert "best parameters: " in done.stdout
    *_, table = done.stdout.partition("\njob ")
    assert table.count("(misses a constraint)") == len(jobs) - len(fine)
    assert "<h2>Pareto front</h2>" in (checkout / "runs" / "sweeps" / "small" / "page.html").read_text()


@pytest.mark.slow
def test_a_search_that_an_experiment_chooses_and_a_grid_by_workers_of_a_search(
    checkout: Path, pipeline: Run, edit: Callable[[str, str, str], None]
) -> None:
    own = "sweep: {sampler: {name: grid}}\ndefaults:\n  - override /hydra/sweeper: search\n"
    edit("conf/experiment/linear_line.yaml", "defaults:\n", own)
    for chosen in ((), ("sweep=grid",)):  # the command line may say the same
        command = ["-m", "experiment=linear_line", "trainer.epochs=1", "seed=1,2", *chosen]
        done = pipeline("train", *command)
        assert done.returncode == 0, done.stderr
        assert "2 trials, sampler grid" in done.stdout
        assert "2 jobs: 2 finished" in done.stdout
    assert [job["overrides"][-1] for job in records(checkout)] == ["seed=1", "seed=2"]
    assert len(list((checkout / "runs" / "sweeps").iterdir())) == 1


def test_a_grid_that_is_refused_leaves_nothing_and_help_shows_a_search(checkout: Path, pipeline: Run) -> None:
    for argument, error in {
        "seed=range(0,1000000)": "the grid has 2,000,000 jobs (2 of trainer.epochs x 1,000,000 of seed), expected",
        "model.l2=interval(0,1)": "model.l2: found 'interval(0,1)', of which a grid cannot try each value.",
        "sweep.trials=3": "sweep.trials is a setting of a search, and none is chosen. Add sweep=<name>.",
    }.items():
        done = pipeline("train", "-m", "experiment=linear_line", "trainer.epochs=1,2", argument)
        assert done.returncode == 2, done.stdout
        assert done.stderr.startswith(f"error: {error}"), done.stderr
        assert not list(checkout.glob("runs/sweeps/*"))
    helped = pipeline("train", "-m", "experiment=linear_line", "sweep=linear", "--help")
    assert "name: tpe" in helped.stdout, helped.stderr
    assert "complete " in pipeline("train", "-sc", "install=bash").stdout
