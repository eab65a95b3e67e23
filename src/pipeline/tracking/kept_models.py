"""Which models of a sweep take up room: those of its best jobs. The others are removed, but only if nobody else wants
them.

The file runs/<identity>/sweep names the sweep that has trained a run. It goes as soon as anybody else asks for that
run: a run by hand, a stage of DVC or another sweep. So a model without this file is not the sweep's to remove.
"""

from collections.abc import Sequence

from pipeline import locks
from pipeline.files import write_text
from pipeline.layout import LOCK, MODEL, OWNER, Layout
from pipeline.tracking.ranking import front
from pipeline.tracking.sweep_job import FINISHED, SweepJob
from pipeline.tracking.sweep_summary import several


def note_owner(layout: Layout, identity: str, sweep: str, trained: bool) -> None:
    """Note who asks for a run; `sweep` is empty for a run by hand and for a stage. `trained` says that the run was
    trained now, and not found. Call it while holding the run's lock."""
    path = layout.run(identity) / OWNER
    if sweep and trained:
        write_text(path, f"{sweep}\n")
    elif path.is_file() and path.read_text(encoding="utf-8").strip() != sweep:
        path.unlink()


def beyond_best(jobs: Sequence[SweepJob], keep: int) -> list[SweepJob]:
    """The finished jobs whose models are to go. `jobs` are sorted (`ranked`). The first `keep` identities stay, and
    whatever is in the Pareto front."""
    finished = [job for job in jobs if job.status == FINISHED and job.identity]
    stays = set(list(dict.fromkeys(job.identity for job in finished))[:keep])
    if several(finished):
        stays |= {job.identity for job in front(finished)}
    return [job for job in finished if job.identity not in stays]


def remove_models(layout: Layout, sweep: str, jobs: Sequence[SweepJob], keep: int) -> list[str]:
    """Remove the models of this sweep's jobs that are not among the best, and return their identities. Predictions,
    history and everything in MLflow stay. A run that a process works on or reads under its lock is left for the next
    call."""
    removed = []
    for identity in dict.fromkeys(job.identity for job in beyond_best(jobs, keep)):
        folder = layout.run(identity)
        model, owner = folder / "output" / MODEL, folder / OWNER
        if not (model.is_file() and owner.is_file()):
            continue
        with locks.held_if_free(folder / LOCK) as free:
            # Between the look and the lock, somebody else may have asked for the run.
            if free and owner.is_file() and owner.read_text(encoding="utf-8").strip() == sweep:
                model.unlink(missing_ok=True)
                removed.append(identity)
    return removed
