"""The end of a search: its page, MLflow, the table, and what went wrong."""

import shutil
import sys

from pipeline.errors import ConfigError
from pipeline.layout import Layout
from pipeline.search.page import write_page
from pipeline.search.study import Study
from pipeline.search.trial import RESULT, WORKER, result_of
from pipeline.sweeping.work import counted, drop_models
from pipeline.tracking.sweep import FAILED, FINISHED, RUNNING, SweepJob, keep_records, read_jobs
from pipeline.tracking.sweep_summary import summary
from pipeline.train import deliver_sweep

GRID = "grid"  # the sampler that tries each combination once, whether it fails or not


def end(study: Study, layout: Layout) -> None:
    """Tell what came of a search, best trial first. Raises ConfigError where it was given up or no trial has finished,
    and under `sweep.strict` where one has failed."""
    plan, folder = study.plan, layout.sweep(study.plan.name)
    keep_records(folder, jobs_of(study, layout))
    jobs = counted(study, read_jobs(folder))
    for job in read_jobs(folder):
        if job.number not in {one.number for one in jobs}:
            shutil.rmtree(folder / str(job.number))
    page = write_page(folder, jobs, study.trials())
    drop_models(study, layout)
    print(summary(jobs))
    print(f"sweep {plan.name}: page {page}, records in {folder}", flush=True)
    address = deliver_sweep(layout, plan.name)
    print(f"MLflow run sweep-{plan.name} at {address}")
    failed = sorted((job for job in jobs if job.status == FAILED), key=lambda job: job.number)
    given_up = study.done and plan.settings.sampler.name != GRID and len(jobs) - len(failed) < study.total
    if failed and (plan.settings.strict or given_up or not any(job.status == FINISHED for job in jobs)):
        first = failed[0]
        raise ConfigError(f"{len(failed)} of {len(jobs)} trials failed, first {first.number}: {first.error}")
    if not study.done:
        print(f"{plan.settings.seconds:g} s are over; give the same command to go on", file=sys.stderr)


def jobs_of(study: Study, layout: Layout) -> list[SweepJob]:
    """The records of all trials that the study has, on whichever machine they ran."""
    plan, jobs = study.plan, []
    for trial in study.trials():
        result, values = result_of(trial), study.space.overrides(trial.params)
        job = SweepJob(
            layout.sweep(plan.name),
            trial.number,
            [*plan.overrides, *values],
            result.status,
            plan.experiment,
            result.identity,
            plan.settings.objectives[0],
            result.values[0] if result.values else None,
            result.error,
            list(plan.settings.objectives),
            list(result.values),
            list(result.constraints),
            dict(override.lstrip("+").split("=", 1) for override in values),
            result.epochs,
            started=result.started,
            seconds=result.seconds,
            log=result.log,
            worker=str(trial.user_attrs.get(RESULT, {}).get(WORKER, "")),
        )
        if result.status != RUNNING:
            jobs.append(job)
    return jobs
