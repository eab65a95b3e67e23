"""What a worker does between two trials."""

from pathlib import Path

import pytest

from pipeline.layout import Layout
from pipeline.search.study import Study
from pipeline.search.trial import Result
from pipeline.sweeping import work
from pipeline.sweeping.trial import new_job
from pipeline.tracking.sweep import read_job
from pipeline.tracking.sweep_job import FINISHED, SweepJob
from tests.unit.search.simulated import plan_of


def test_the_record_of_a_trial_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    layout = Layout(tmp_path)
    study, read = Study.create_or_open(plan_of(trials=4), layout), list[int]()
    ended = work.EndedJobs(study, layout)

    def reading(folder: Path, number: int) -> SweepJob | None:
        read.append(number)
        return read_job(folder, number)

    monkeypatch.setattr(work, "read_job", reading)
    found = []
    for score in (0.5, 0.75, 0.25):
        claimed = study.claim()
        assert claimed is not None
        job = new_job(study.plan, claimed, layout)
        job.status, job.score, job.objective = FINISHED, score, "val_loss"
        job.save()
        found.append([known.number for known in ended.read()])  # the trial itself has not ended yet
        claimed.finish(Result(FINISHED, (score,)))
    assert found == [[], [0], [0, 1]]
    assert [known.number for known in ended.read()] == [2, 0, 1]
    assert read == [0, 1, 2]
