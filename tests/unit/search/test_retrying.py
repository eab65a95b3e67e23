"""`sweep.retry`: what has failed is tried again, and nothing that was there changes."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from pipeline.config.sweep import PrunerConfig
from pipeline.layout import Layout
from pipeline.search.study import Study
from pipeline.search.trial import Result
from pipeline.tracking.sweep_job import FAILED, FINISHED
from tests.unit.search.simulated import Search, plan_of

GRID: dict[str, Any] = {"sampler": "grid", "space": {"model.layers": "range(1,5)"}}


def states(search: Search) -> list[str]:
    return [state for _, state, *_ in search.trials()]


@pytest.mark.parametrize("pruner", [PrunerConfig(), PrunerConfig("median", startup_trials=2)], ids=["none", "median"])
def test_a_search_that_was_given_up_goes_on_with_the_same_trials_for_any_workers(
    pruner: PrunerConfig, tmp_path: Path
) -> None:
    plan = plan_of(trials=12, lag=4, startup=4, pruner=pruner)
    failed = Search(tmp_path / "failed", plan, failing=1).run()
    assert failed.study().progress().given_up
    before = failed.trials()
    again = failed.study().retry()
    assert again == list(range(len(before), len(before) + 8))
    assert failed.study().retry() == [], "each one once"
    found = []
    crews: list[dict[str, Any]] = [{}, {"workers": 3, "order": 5}, {"workers": 2, "dies_within": 4}]
    for number, how in enumerate(crews):
        path = Path(shutil.copy(failed.path, tmp_path / str(number)))
        done = Search(path, plan, **how).run()
        assert done.study().progress().failed == 0
        assert not done.study().progress().given_up
        found.append(done.trials())
    assert found[0] == found[1] == found[2]
    assert found[0][:8] == before[:8], "what has failed stays as it is"
    assert [trial[2:3] for trial in found[0][again[0] : again[-1] + 1]] == [trial[2:3] for trial in before[:8]]
    ended = [state for _, state, *_ in found[0][8:]]
    assert ended.count("COMPLETE") + ended.count("PRUNED") >= 12


def test_what_fails_again_can_be_tried_again(tmp_path: Path) -> None:
    plan = plan_of(trials=2, lag=2, mode="async")
    search = Search(tmp_path / "a", plan, failing=1).run()
    assert states(search) == ["FAIL"] * 2
    assert search.study().retry() == [2, 3]
    assert states(search.run()) == ["FAIL"] * 4
    assert search.study().progress().given_up
    assert search.study().retry() == [4, 5]
    search.failing = 0
    assert states(search.run()) == ["FAIL"] * 4 + ["COMPLETE"] * 2
    assert search.study().retried() == {0, 1, 2, 3}


def test_a_search_that_is_complete_has_nothing_to_try_again(tmp_path: Path) -> None:
    search = Search(tmp_path / "a", plan_of(trials=14, lag=4, startup=4), failing=7).run()
    assert "FAIL" in states(search)
    assert search.study().retry() == []


@pytest.mark.parametrize("mode", ["ordered", "async"])
def test_each_point_of_a_grid_is_tried_also_where_one_is_tried_again_in_between(mode: str, tmp_path: Path) -> None:
    study = Study.create_or_open(plan_of(**GRID, lag=2, mode=mode), Layout(tmp_path))
    tried = list[tuple[int, str]]()

    def end(result: Result) -> None:
        claimed = study.claim()
        assert claimed is not None
        tried.append((claimed.number, claimed.overrides[0]))
        claimed.finish(result)

    end(Result(FAILED, error="no memory"))
    (again,) = study.retry()
    while not study.done:
        end(Result(FINISHED, (1.0,)))
    assert sorted(value for _, value in tried) == sorted(
        ["model.layers=1", *(f"model.layers={layers}" for layers in range(1, 5))]
    )
    assert dict(tried)[again] == dict(tried)[0]
    assert study.retry() == []


def test_a_failed_point_of_a_grid_that_has_ended_is_tried_again(tmp_path: Path) -> None:
    search = Search(tmp_path / "a", plan_of(**GRID), failing=1).run()
    assert states(search) == ["FAIL"] * 4
    assert search.study().retry() == [4, 5, 6, 7]
    assert not search.study().done
    search.failing = 0
    assert states(search.run()) == ["FAIL"] * 4 + ["COMPLETE"] * 4


def test_a_trial_that_is_tried_again_waits_until_those_before_it_are_told(tmp_path: Path) -> None:
    """Else its pruner would see some of them in the middle."""
    study = Study.create_or_open(plan_of(trials=4, lag=2), Layout(tmp_path))
    first, second = study.claim(), study.claim()
    assert first
    assert second
    first.finish(Result(FAILED, error="no memory"))
    assert (third := study.claim())
    assert third.number == 2
    assert study.retry() == [3]
    assert study.claim() is None
    second.finish(Result(FINISHED, (1.0,)))
    assert (again := study.claim())
    assert again.number == 3
    assert again.overrides == first.overrides
    kept: list[Any] = [trial.user_attrs.get("retry_of") for trial in study.trials()]
    assert kept[:4] == [None, None, None, 0]
