"""Models stay while their jobs are among the best, and while anybody else wants them."""

from pathlib import Path

from pipeline import locks
from pipeline.layout import LOCK, MODEL, OWNER, Layout
from pipeline.tracking.kept_models import beyond_best, note_owner, remove_models
from pipeline.tracking.ranking import ranked
from pipeline.tracking.sweep_job import FINISHED, PRUNED, SweepJob


def jobs_of(folder: Path, scores: list[float]) -> list[SweepJob]:
    return ranked(SweepJob(folder, i, [], FINISHED, "x", f"x-{i}", "val_loss", score) for i, score in enumerate(scores))


def modelled(layout: Layout, identity: str, sweep: str) -> Path:
    path = layout.run(identity) / "output" / MODEL
    path.parent.mkdir(parents=True)
    path.write_text("weights")
    note_owner(layout, identity, sweep, trained=True)
    return path


def test_only_models_that_this_sweep_has_trained_and_nobody_else_wants_go(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    jobs = jobs_of(layout.sweep("a"), [0.1, 0.9, 0.8, 0.7, 0.6, 0.5])
    best, beyond, found, wanted, by_hand, read = (modelled(layout, f"x-{i}", "a") for i in range(6))
    note_owner(layout, "x-1", "a", trained=False)  # the sweep's own job found it when it was resumed
    (layout.run("x-2") / OWNER).unlink()  # there was a run by hand before, and this sweep has trained nothing
    note_owner(layout, "x-3", "b", trained=False)
    note_owner(layout, "x-4", "", trained=True)
    with locks.hold(layout.run("x-5") / LOCK, "a reader"):
        assert remove_models(layout, "a", jobs, keep=1) == ["x-1"]
    assert [path.is_file() for path in (best, beyond, found, wanted, by_hand, read)] == [
        True,
        False,
        True,
        True,
        True,
        True,
    ]
    assert remove_models(layout, "a", jobs, keep=2) == []
    assert remove_models(layout, "a", jobs, keep=1) == ["x-5"]


def test_the_whole_front_and_jobs_of_one_identity_count_once(tmp_path: Path) -> None:
    jobs = jobs_of(tmp_path, [0.1, 0.1, 0.2, 0.3])
    jobs[1].identity = "x-0"
    assert [job.identity for job in beyond_best(jobs, 2)] == ["x-3"]
    for job, other in zip(jobs, (0.9, 0.8, 0.1, 0.5), strict=True):
        job.objectives, job.values = ["val_loss", "parameters"], [job.score or 0.0, other]
    jobs = ranked(jobs)
    assert [job.number for job in beyond_best(jobs, 1)] == [3]
    jobs[-1].status = PRUNED
    assert beyond_best(jobs, 1) == []
    assert beyond_best([], 1) == []
