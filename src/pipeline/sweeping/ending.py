"""The end of a search: its page, MLflow, the table, and what went wrong."""

import shutil
import sys
from contextlib import suppress

from pipeline import locks
from pipeline.errors import ConfigError, PipelineError
from pipeline.layout import LOCK, Layout
from pipeline.search.page import write_page
from pipeline.search.postgres import without_patience
from pipeline.search.study import Study
from pipeline.sweeping.records import Records
from pipeline.sweeping.work import counted, drop_models
from pipeline.tracking.sweep import note_ended, read_jobs
from pipeline.tracking.sweep_end import deliver_sweep
from pipeline.tracking.sweep_job import FAILED, FINISHED, PRUNED
from pipeline.tracking.sweep_summary import summary

# A cause that is mended outside of code, data and configuration does not make it another search by itself.
GIVEN_UP = (
    "The search is given up, since what it tries fails. Mend the cause, and give the command with sweep.retry=true."
)


def tell_so_far(study: Study, layout: Layout) -> None:
    """The table and the page of a search that was interrupted. It is not done, and its storage may have gone away."""
    folder = layout.sweep(study.plan.name)
    if jobs := read_jobs(folder):
        print(summary(jobs), flush=True)
        with suppress(PipelineError), without_patience():
            print(f"page {write_page(folder, jobs, study.trials())}", flush=True)


def end(study: Study, layout: Layout) -> None:
    """Tell what came of a search, best trial first. Raises ConfigError where it was given up or no trial has finished,
    and under `sweep.strict` where one has failed."""
    plan, folder = study.plan, layout.sweep(study.plan.name)
    Records(study, layout).keep()
    jobs = counted(study, read_jobs(folder))
    # Another command that still works on the search, perhaps for more trials, removes what it does not count itself.
    alone = not locks.held(folder / LOCK)
    for job in read_jobs(folder):
        if alone and job.number not in {one.number for one in jobs}:
            shutil.rmtree(folder / str(job.number))
    page = write_page(folder, jobs, study.trials())
    drop_models(study, layout, jobs)
    # A search whose time is over has not ended: the same command goes on with it.
    note_ended(folder, study.done)
    print(summary(jobs))
    print(f"sweep {plan.name}: page {page}, records in {folder}", flush=True)
    address = deliver_sweep(layout, plan.name)
    print(f"MLflow run sweep-{plan.name} at {address}")
    retried = study.retried()
    failed = [job for job in jobs if job.status == FAILED and job.number not in retried]
    failed.sort(key=lambda job: job.number)
    progress = study.progress()
    if failed and (plan.settings.strict or progress.given_up or not any(job.status == FINISHED for job in jobs)):
        first = failed[0]
        told = f"{len(failed)} of {len(jobs)} trials failed, first {first.number}: {first.error}"
        raise ConfigError(f"{told.rstrip('.')}. {GIVEN_UP}" if progress.given_up else told)
    if not progress.done:
        over = f"{plan.settings.seconds:g} s are over" if plan.settings.seconds else "the search is not done"
        ended = sum(job.status in (FINISHED, PRUNED) for job in jobs)
        print(f"{over}, with {ended} of {study.total} trials; give the same command to go on", file=sys.stderr)
