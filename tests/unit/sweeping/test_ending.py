"""What the end of a command does to the records of trials that it does not count."""

from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipeline import locks
from pipeline.errors import ConfigError
from pipeline.layout import LOCK, Layout
from pipeline.search.study import Study
from pipeline.search.trial import Result
from pipeline.sweeping import ending
from pipeline.sweeping.records import Records
from pipeline.tracking.sweep import read_jobs, read_sweep
from pipeline.tracking.sweep_job import FAILED, FINISHED
from tests.unit.search.simulated import plan_of


def test_trials_of_another_command_that_wants_more_of_them_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With two trials wanted, the search is given up when the first two have failed; with four it goes on."""
    layout = Layout(tmp_path)
    four, two = (Study.create_or_open(plan_of(trials=trials, lag=4), layout) for trials in (4, 2))
    for result in (Result(FAILED, error="no memory"), Result(FAILED, error="no memory"), Result(FINISHED, (1.0,))):
        claimed = four.claim()
        assert claimed is not None
        claimed.finish(result)
    assert (four.done, two.done) == (False, True)
    monkeypatch.setattr(ending, "write_page", lambda *_: "page.html")
    monkeypatch.setattr(ending, "deliver_sweep", lambda *_: "nowhere")
    folder = layout.sweep("found")

    def left() -> set[int]:
        with pytest.raises(ConfigError, match=r"^2 of 2 trials failed, first 0: no memory\. The search is given up"):
            ending.end(two, layout)
        return {job.number for job in read_jobs(folder)}

    with locks.held_when_free(folder / LOCK):
        assert left() == {0, 1, 2}
    assert left() == {0, 1}, "nobody else works on it"


def test_a_search_that_is_interrupted_shows_what_came_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    layout = Layout(tmp_path)
    study = Study.create_or_open(plan_of(trials=4), layout)
    ending.tell_so_far(study, layout)
    assert capsys.readouterr().out == "", "there is nothing yet"
    claimed = study.claim()
    assert claimed is not None
    claimed.finish(Result(FINISHED, (0.25,)))
    Records(study, layout).keep()
    ending.tell_so_far(study, layout)
    assert "0.25" in capsys.readouterr().out
    assert (layout.sweep("found") / "page.html").is_file()


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"strict": True}, "1 of 2 trials failed, first 0: no memory"),
        ({"seconds": 5.0}, "5 s are over, with 1 of 4 trials; give the same command to go on"),
    ],
)
def test_a_failure_under_strict_and_time_that_is_over(
    settings: dict[str, Any],
    told: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    layout, plan = Layout(tmp_path), plan_of(trials=4)
    study = Study.create_or_open(replace(plan, settings=replace(plan.settings, **settings)), layout)
    for result in (Result(FAILED, error="no memory"), Result(FINISHED, (0.25,))):
        claimed = study.claim()
        assert claimed is not None
        claimed.finish(result)
    monkeypatch.setattr(ending, "write_page", lambda *_: "page.html")
    monkeypatch.setattr(ending, "deliver_sweep", lambda *_: "nowhere")
    with pytest.raises(ConfigError, match=told) if "strict" in settings else nullcontext():
        ending.end(study, layout)
    assert "strict" in settings or told in capsys.readouterr().err
    assert read_sweep(layout.sweep("found")).ended is False, "it can go on"
