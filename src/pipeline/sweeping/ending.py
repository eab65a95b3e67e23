"""The end of a search: its page, MLflow, the table, and what went wrong."""

import sys

from pipeline.errors import ConfigError
from pipeline.layout import Layout
from pipeline.search.page import write_page
from pipeline.search.study import Study
from pipeline.search.trial import RESULT, WORKER, result_of
from pipeline.tracking.sweep import FAILED, FINISHED, RUNNING, SweepJob, keep_records, read_jobs
from pipeline.tracking.sweep_summary import summary
from pipeline.train import deliver_sweep


def end(study: Study, layout: Layout) -> None:
    """Tell what came of a search, best trial first. Raises ConfigError where no trial has finished, and under
    `sweep.strict` where one has failed."""
    plan, folder = study.plan, layout.sweep(study.plan.name)
    keep_records(folder, jobs_of(study, layout))
    jobs = read_jobs(folder)
    page = write_page(folder, jobs, study.trials())
    address = deliver_sweep(layout, plan.name)
    print(summary(jobs))
    print(f"sweep {plan.name}: page {page}, records in {folder}, MLflow run sweep-{plan.name} at {address}")
    failed = sorted((job for job in jobs if job.status == FAILED), key=lambda job: job.number)
    finished = any(job.status == FINISHED for job in jobs)
    if failed and (plan.settings.strict or not finished):
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
            seconds=result.seconds,
            log=result.log,
            worker=str(trial.user_attrs.get(RESULT, {}).get(WORKER, "")),
        )
        if result.status != RUNNING:
            jobs.append(job)
    return jobs
