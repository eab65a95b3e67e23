"""One trial of a search: compose its configuration, train it, and bring what came of it to the study."""

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

from pipeline.cli import about_storage, was_interrupted
from pipeline.compose import compose_config
from pipeline.data.history import GivenUp
from pipeline.errors import ArtifactError
from pipeline.layout import Layout
from pipeline.search.claimed import Claimed, TakenError
from pipeline.search.plan import Plan
from pipeline.search.postgres import NoAnswerError
from pipeline.search.trial import Result
from pipeline.sweeping.deaths import check_deaths, note_deaths
from pipeline.sweeping.records import finished_elsewhere, new_record, note_result
from pipeline.sweeping.state import State
from pipeline.tracking.sweep_job import FAILED, FINISHED, PRUNED, RUNNING, SweepJob
from pipeline.train import trained


def run_trial(plan: Plan, claimed: Claimed, layout: Layout, state: State) -> None:
    """Train a trial, keep its record in the sweep's folder, and finish it in the study.

    Whatever goes wrong with it fails this trial alone, and is told at once. A full disk, a storage that is
    gone, an interrupt, and a checkout that has changed since the worker began end the worker; the trial then waits for
    another one.
    """
    state.check()
    job = new_job(plan, claimed, layout)
    with finished_elsewhere(plan, claimed, layout), left_alive(job):
        job.save()
        result = _result(plan, claimed, layout, job, state)
        before, result = result, claimed.judged(result)
        if result.status == FAILED and before.status != FAILED:
            job.fail(ArtifactError(result.error))
        seconds = time.time() - job.started
        result = replace(result, identity=job.identity, started=job.started, seconds=seconds, log=job.log)
        note_result(job, result)
        # The record comes first: a trial that has ended in the study has one.
        job.save()
        claimed.finish(result)


def _result(plan: Plan, claimed: Claimed, layout: Layout, job: SweepJob, state: State) -> Result:
    try:
        check_deaths(job)
        return _trained(plan, claimed, layout, job)
    except GivenUp as given_up:
        value = given_up.history[-1].get(plan.settings.objectives[0])
        return Result(PRUNED, () if value is None else (value,), epochs=given_up.epoch)
    except Exception as error:
        # TensorFlow and Arrow turn an interrupt into errors of their own.
        if was_interrupted() or isinstance(error, NoAnswerError | TakenError) or about_storage(error) is not None:
            raise
        state.check()
        job.fail(error)
        return Result(FAILED, error=job.error, log=job.log)


def new_job(plan: Plan, claimed: Claimed, layout: Layout) -> SweepJob:
    job = new_record(plan, layout, claimed.number, claimed.overrides)
    job.started, job.worker = time.time(), f"{socket.gethostname()}:{os.getpid()}"
    note_deaths(job, layout)
    return job


@contextmanager
def left_alive(job: SweepJob) -> Iterator[None]:
    """Note in the record that a worker leaves its trial without an end, which tells it from one that has died."""
    try:
        yield
    except BaseException:
        if job.status == RUNNING:
            job.worker = ""
            with suppress(OSError):
                job.save()
        raise


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
