"""One trial of a search: compose its configuration, train it, and bring what came of it to the study."""

import os
import socket
import time
from dataclasses import replace

from pipeline.cli import about_storage, was_interrupted
from pipeline.compose import compose_config
from pipeline.data.history import GivenUp
from pipeline.errors import ArtifactError
from pipeline.layout import Layout
from pipeline.search.claimed import Claimed
from pipeline.search.plan import Plan
from pipeline.search.postgres import NoAnswerError
from pipeline.search.trial import Result
from pipeline.sweeping.state import State
from pipeline.tracking.sweep import FAILED, FINISHED, PRUNED, SweepJob
from pipeline.train import trained


def run_trial(plan: Plan, claimed: Claimed, layout: Layout, state: State) -> None:
    """Train a trial, keep its record in the sweep's folder, and finish it in the study.

    Whatever goes wrong with it fails this trial alone, and is told at once. A full disk, a storage that is
    gone, an interrupt, and a checkout that has changed since the worker began end the worker; the trial then waits for
    another one.
    """
    state.check()
    job = new_job(plan, claimed, layout)
    job.save()
    try:
        result = _trained(plan, claimed, layout, job)
    except GivenUp as given_up:
        value = given_up.history[-1].get(plan.settings.objectives[0])
        result = Result(PRUNED, () if value is None else (value,), epochs=given_up.epoch)
    except Exception as error:
        # TensorFlow and Arrow turn an interrupt into errors of their own.
        if was_interrupted() or isinstance(error, NoAnswerError) or about_storage(error) is not None:
            raise
        state.check()
        job.fail(error)
        result = Result(FAILED, error=job.error, log=job.log)
    before, result = result, claimed.judged(result)
    if result.status == FAILED and before.status != FAILED:
        job.fail(ArtifactError(result.error))
    seconds = time.time() - job.started
    result = replace(result, identity=job.identity, started=job.started, seconds=seconds, log=job.log)
    job.status, job.epochs, job.seconds, job.error = result.status, result.epochs, result.seconds, result.error
    job.values, job.constraints = list(result.values), list(result.constraints)
    job.score = result.values[0] if result.values else None
    # The record comes first: a trial that has ended in the study has one.
    job.save()
    claimed.finish(result)


def new_job(plan: Plan, claimed: Claimed, layout: Layout) -> SweepJob:
    params = dict(override.lstrip("+").split("=", 1) for override in claimed.overrides)
    return SweepJob(
        layout.sweep(plan.name),
        claimed.number,
        [*plan.overrides, *claimed.overrides],
        # A trial that fails early is one of this experiment too; of several, `trained` says which.
        experiment=plan.experiment if "," not in plan.experiment else params.get("experiment", ""),
        objective=plan.settings.objectives[0],
        objectives=list(plan.settings.objectives),
        params=params,
        started=time.time(),
        worker=f"{socket.gethostname()}:{os.getpid()}",
    )


def _trained(plan: Plan, claimed: Claimed, layout: Layout, job: SweepJob) -> Result:
    objectives = plan.settings.objectives
    constraints = plan.settings.parsed_constraints()
    config = compose_config(layout, "config", job.overrides)
    needed = dict.fromkeys([*objectives, *(constraint.name for constraint in constraints)])
    judge = None if plan.settings.pruner.name == "none" else claimed.should_prune
    done = trained(config, tuple(needed), job, judge)
    values = tuple(done.scores[name] for name in objectives)
    excess = tuple(constraint.excess(done.scores[constraint.name]) for constraint in constraints)
    return Result(FINISHED, values, excess, epochs=len(done.history))
