"""How much each swept key decides whether a trial is among the best: PED-ANOVA (Watanabe, Bansal and Hutter 2023), as
Optuna computes it."""

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from pipeline.search.axes import axes_of
from pipeline.tasks import larger_is_better
from pipeline.tracking.sweep_job import FINISHED, SweepJob
from pipeline.tracking.sweep_summary import goals_of

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

FEWEST = 10  # finished trials
BEST_SHARE, FEWEST_BEST = 0.1, 5  # the trials that count as the best: this share of them, but at least so many


def importances(jobs: Sequence[SweepJob], trials: "Sequence[FrozenTrial] | None" = None) -> dict[str, float]:
    """The importance of each swept key, the largest first; they sum up to 1. Of several objectives, it is the
    importance of reaching the Pareto front. None where too few trials have finished.

    The `trials` of a study know the ranges that were searched; without them, these are the ranges of the values.
    """
    if sum(job.status == FINISHED for job in jobs) < FEWEST:
        return {}  # before Optuna is imported
    import optuna
    from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
    from optuna.study import StudyDirection
    from optuna.trial import TrialState

    known = trials_of(jobs) if trials is None else [trial for trial in trials if trial.state == TrialState.COMPLETE]
    if len(known) < FEWEST:
        return {}
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            best = (StudyDirection.MINIMIZE, StudyDirection.MAXIMIZE)
            directions = [best[larger_is_better(goal)] for goal in goals_of(list(jobs))]
            study = optuna.create_study(directions=directions, storage=optuna.storages.InMemoryStorage())
            study.add_trials(known)
            share = min(0.5, max(BEST_SHARE, FEWEST_BEST / len(known)))
            found = get_param_importances(study, evaluator=PedAnovaImportanceEvaluator(target_quantile=share))
    finally:
        optuna.logging.set_verbosity(before)
    return dict(sorted(found.items(), key=lambda one: (-one[1], one[0])))


def trials_of(jobs: Sequence[SweepJob]) -> "list[FrozenTrial]":
    """The finished jobs as Optuna's trials, for a sweep that no study has asked for."""
    from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution
    from optuna.trial import create_trial

    finished = [job for job in jobs if job.status == FINISHED and job.scores]
    axes = axes_of(finished)
    ranges: dict[str, BaseDistribution] = {}
    for axis in axes:
        places = axis.places[~np.isnan(axis.places)]
        words = CategoricalDistribution(range(len(axis.labels))) if axis.labels else None
        ranges[axis.key] = words or FloatDistribution(float(places.min()), float(places.max()), log=axis.log)
    trials = []
    for i, job in enumerate(finished):
        own = [axis for axis in axes if not np.isnan(axis.places[i])]
        params = {axis.key: int(axis.places[i]) if axis.labels else float(axis.places[i]) for axis in own}
        asked = {axis.key: ranges[axis.key] for axis in own}
        trials.append(create_trial(params=params, distributions=asked, values=job.scores))
    return trials
