"""One trial of a search: compose its configuration, train it, and bring what came of it to the study."""

import os
import socket
import time

from pipeline.cli import about_storage
from pipeline.compose import compose_config
from pipeline.data.history import GivenUp
from pipeline.layout import Layout
from pipeline.search.claimed import Claimed
from pipeline.search.plan import Plan
from pipeline.search.postgres import NoAnswerError
from pipeline.search.trial import Result
from pipeline.tracking.sweep import FAILED, FINISHED, PRUNED, SweepJob
from pipeline.train import score, trained


def run_trial(plan: Plan, claimed: Claimed, layout: Layout) -> None:
    """Train a trial, keep its record in the sweep's folder, and finish it in the study.

    Whatever goes wrong with it fails this trial alone, and is told at once. A disk that is full, a storage that is gone
    and an interrupt end the worker; the trial then waits for another one.
    """
    job = new_job(plan, claimed, layout)
    job.save()
    try:
        result = _trained(plan, claimed, layout, job)
    except GivenUp as given_up:
        value = given_up.history[-1].get(plan.settings.objectives[0])
        result = Result(PRUNED, () if value is None else (value,), epochs=given_up.epoch)
    except Exception as error:
        if isinstance(error, NoAnswerError) or about_storage(error) is not None:
            raise
        job.fail(error)
        result = Result(FAILED, error=job.error, log=job.log)
    seconds = time.time() - job.started
    job.status, job.epochs, job.seconds = result.status, result.epochs, seconds
    job.values, job.constraints = list(result.values), list(result.constraints)
    job.score = result.values[0] if result.values else None
    # The record comes first: a trial that the study has as ended has one.
    job.save()
    claimed.finish(
        Result(
            result.status,
            result.values,
            result.constraints,
            job.identity,
            result.epochs,
            seconds,
            result.error,
            result.log,
        )
    )


def new_job(plan: Plan, claimed: Claimed, layout: Layout) -> SweepJob:
    params = dict(override.lstrip("+").split("=", 1) for override in claimed.overrides)
    return SweepJob(
        layout.sweep(plan.name),
        claimed.number,
        [*plan.overrides, *claimed.overrides],
        objectives=list(plan.settings.objectives),
        params=params,
        started=time.time(),
        worker=f"{socket.gethostname()}:{os.getpid()}",
    )


def _trained(plan: Plan, claimed: Claimed, layout: Layout, job: SweepJob) -> Result:
    objectives = plan.settings.objectives
    constraints = plan.settings.parsed_constraints()
    config = compose_config(layout, "config", job.overrides)
    needed = (*objectives, *(constraint.name for constraint in constraints))
    judge = None if plan.settings.pruner.name == "none" else claimed.should_prune
    run, history = trained(config, needed, job, judge)
    assert run is not None, "a search does not run under a strategy of several workers"
    values = tuple(score(run, history, name) for name in objectives)
    excess = tuple(constraint.excess(score(run, history, constraint.name)) for constraint in constraints)
    return Result(FINISHED, values, excess, epochs=len(history))
