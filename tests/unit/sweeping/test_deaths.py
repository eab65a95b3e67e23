"""Workers that die are replaced; a trial in which they die again and again, without an epoch more, has failed."""

import json
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pipeline.errors import ConfigError
from pipeline.layout import JOURNAL, Layout
from pipeline.sweeping.deaths import Deaths
from pipeline.tracking.sweep import FAILED, FINISHED, RUNNING, SweepJob, read_jobs

NAME = "machine:17"


class Study:
    """Of a study, what is asked when a worker has died."""

    plan = SimpleNamespace(name="found")

    def __init__(self) -> None:
        self.finished: list[tuple[int, str]] = []

    def claim_trial(self, number: int) -> Any:
        @contextmanager
        def claimed() -> Any:
            yield None

        trial: Any = claimed()
        trial.finish = lambda result: self.finished.append((number, result.status))
        return trial


def running(layout: Layout, epochs: int) -> None:
    SweepJob(layout.sweep("found"), 3, ["x=1"], RUNNING, identity="made-1", worker=NAME).save()
    folder = layout.run("made-1")
    folder.mkdir(parents=True, exist_ok=True)
    records = [json.dumps({"type": "metrics", "time": 0, "epoch": epoch, "values": {}}) for epoch in range(epochs)]
    (folder / JOURNAL).write_text("".join(f"{record}\n" for record in records))


def test_a_trial_fails_with_the_third_death_without_an_epoch_more(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    layout, study = Layout(tmp_path), Study()
    deaths = Deaths(study, layout)  # type: ignore[arg-type]
    for epochs in (1, 2, 3, 4):
        running(layout, epochs)
        deaths.note(0, NAME, -9)
    assert study.finished == [], "it gets on, however often its workers are killed"
    for _ in range(2):
        deaths.note(0, NAME, -11)
    assert study.finished == [(3, FAILED)]
    (job,) = read_jobs(layout.sweep("found"))
    assert (job.status, job.error) == (FAILED, "3 workers have died in it, the last with code -11")
    assert "job 3 failed: 3 workers have died in it" in capsys.readouterr().err


def test_workers_that_die_outside_of_trials_end_the_search_unless_trials_end_in_between(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    deaths = Deaths(Study(), layout)  # type: ignore[arg-type]
    for number in range(6):
        SweepJob(layout.sweep("found"), number, [], FINISHED).save()
        deaths.note(0, NAME, -9)
    for _ in range(2):
        deaths.note(0, NAME, -9)
    with pytest.raises(ConfigError, match="workers die outside of any trial"):
        deaths.note(0, NAME, -9)
