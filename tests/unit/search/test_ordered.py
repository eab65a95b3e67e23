"""In mode `ordered`, a search has the same trials for any number of workers, however often they are killed."""

from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from pipeline.config.sweep import PrunerConfig
from pipeline.search.plan import Plan
from pipeline.tracking.sweep import FINISHED
from tests.unit.search.simulated import CONDITIONAL, SPACE, Search, plan_of

CASES: dict[str, dict[str, Any]] = {
    "tpe": {},
    "tpe, conditional": {"space": CONDITIONAL},
    "tpe, constrained": {"constraints": ["val_ece <= 1"]},
    "tpe, several objectives": {"objectives": 2},
    "tpe, median": {"pruner": PrunerConfig("median", startup_trials=2, warmup_epochs=1)},
    "tpe, patient": {"pruner": PrunerConfig("patient", startup_trials=2, patience=0)},
    "tpe, halving": {"pruner": PrunerConfig("halving", reduction=2)},
    "tpe, hyperband": {"pruner": PrunerConfig("hyperband", reduction=2, max_epochs=4)},
    "gp": {"sampler": "gp"},
    "cmaes": {"sampler": "cmaes"},
    "nsga2": {"sampler": "nsga2", "objectives": 2},
    "random": {"sampler": "random", "startup": 10},
    "qmc, median": {"sampler": "qmc", "startup": 10, "pruner": PrunerConfig("median", startup_trials=2)},
    "grid": {
        "sampler": "grid",
        "startup": 10,
        "space": {"model.layers": "range(1,5)", "model.filters": "choice([8,16],[16,32])", "trainer.lr": "1e-3,1e-2"},
    },
}
NEEDS = {"gp": "torch", "cmaes": "cmaes"}


def plan(case: str) -> Plan:
    if case in NEEDS and find_spec(NEEDS[case]) is None:
        pytest.skip(f"{NEEDS[case]} is not installed")
    return plan_of(**{"startup": 4, "trials": 14, "lag": 4, **CASES[case]})


def search(folder: Path, case: str, **how: Any) -> Search:
    return Search(folder / "study.journal", plan(case), failing=0 if case == "grid" else 7, **how).run()


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The search by one worker that nobody kills."""
    return cache(lambda case: search(tmp_path_factory.mktemp("alone"), case))


@pytest.mark.parametrize("case", CASES)
def test_the_same_for_any_number_of_workers(case: str, alone: Any, tmp_path: Path) -> None:
    expected = alone(case).trials()
    for workers in (2, 4):
        found = search(tmp_path / str(workers), case, workers=workers, order=workers)
        assert found.trials() == expected
        assert found.study().best() == alone(case).study().best() != []


@pytest.mark.parametrize("case", CASES)
def test_the_same_when_killed_all_the_time(case: str, alone: Any, tmp_path: Path) -> None:
    """No worker lives for more than four writes."""
    killed = search(tmp_path, case, dies_within=4, workers=2)
    assert killed.kills > 14
    assert killed.trials() == alone(case).trials()


def test_the_same_after_a_kill_behind_any_write(tmp_path: Path) -> None:
    """A search that goes on from the first n lines of its journal, or from the half of a line behind them."""
    plan = plan_of(trials=6, lag=3, startup=2, pruner=PrunerConfig("median", startup_trials=2))
    whole = Search(tmp_path / "whole", plan, failing=7).run()
    lines = whole.path.read_bytes().splitlines(keepends=True)
    for count in range(len(lines)):
        path = tmp_path / str(count)
        path.write_bytes(b"".join(lines[:count]) + lines[count][: 20 * (count % 2)])
        assert Search(path, plan, failing=7).run().trials() == whole.trials(), count


def test_exactly_as_many_as_asked_finish(alone: Any) -> None:
    """Failed trials do not count, and are replaced."""
    states = [state for _, state, *_ in alone("tpe, median").trials()]
    assert states.count("FAIL") > 0
    assert states.count("PRUNED") > 0
    assert states.count("COMPLETE") + states.count("PRUNED") == 14


def test_the_cases_are_worth_it(alone: Any) -> None:
    """Each pruner stops some trials and lets others through."""
    for case in CASES:
        if "pruner" in CASES[case]:
            states = [state for _, state, *_ in alone(case).trials()]
            assert 0 < states.count("PRUNED") < 14, case


def test_more_trials_later_are_those_of_a_longer_search(tmp_path: Path) -> None:
    short, longer = (plan_of(trials=trials, lag=4, startup=4) for trials in (8, 14))
    Search(tmp_path / "a", short).run()
    extended = Search(tmp_path / "a", longer, workers=2).run()
    assert extended.trials() == Search(tmp_path / "b", longer).run().trials()


def test_a_search_whose_first_trials_all_fail_ends(tmp_path: Path) -> None:
    failing = Search(tmp_path / "a", plan_of(trials=20), failing=1).run()
    assert failing.study().progress().failed == 8
    assert failing.study().best() == []


def test_the_seed_changes_the_trials(tmp_path: Path) -> None:
    one, other = (Search(tmp_path / str(seed), plan_of(seed=seed, trials=2)).run().trials() for seed in (1, 2))
    assert [trial[2] for trial in one] != [trial[2] for trial in other]


def test_trials_differ_from_each_other(alone: Any) -> None:
    values = [tuple(params.items()) for _, _, params, *_ in alone("tpe").trials()]
    assert len(set(values)) == len(values)
    assert set(values[0][0]) <= {*SPACE, *(value for _, value in values[0])}


def test_it_learns(tmp_path: Path) -> None:
    """Later trials are better than the first ones, which are random."""
    found = Search(tmp_path / "a", plan_of(trials=40, lag=2)).run()
    losses = [values[0] for _, state, _, values, *_ in found.trials() if state == "COMPLETE"]
    assert sum(losses[-10:]) < sum(losses[:10])
    assert FINISHED == "FINISHED"
