"""Failed trials that are tried again, each by a further trial with the same values.

What has failed stays as it is: a storage of Optuna's changes no trial that has ended, and trials that were chosen in
view of the failure keep what they saw.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from pipeline.search.trial import OVERRIDES, status_of
from pipeline.tracking.sweep_job import FAILED

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

RETRY_OF = "retry_of"  # the number of the failed trial, which the other one keeps under this name
RETRIED = "RETRIED"  # the status of a failed trial that another one tries again


def retries_in(trials: "Sequence[FrozenTrial]") -> dict[int, int]:
    """The trials that try a failed one again: their numbers, each with that of the failed one."""
    return {trial.number: int(trial.user_attrs[RETRY_OF]) for trial in trials if RETRY_OF in trial.user_attrs}


def statuses_of(trials: "Sequence[FrozenTrial]") -> list[str]:
    """How each trial is, which may be RETRIED."""
    again = set(retries_in(trials).values())
    return [RETRIED if trial.number in again else status_of(trial) for trial in trials]


def retries(trials: "Sequence[FrozenTrial]") -> "list[FrozenTrial]":
    """A trial for each one that has failed and is not tried again yet, ready to be stored."""
    return [_again(trial) for trial, status in zip(trials, statuses_of(trials), strict=True) if status == FAILED]


def _again(failed: "FrozenTrial") -> "FrozenTrial":
    from pipeline.search.view import STUDY_NOTES, as_asked

    fresh = as_asked(failed)
    fresh.datetime_start = datetime.now()  # without a zone, as Optuna's own trials have it
    fresh.user_attrs = {OVERRIDES: failed.user_attrs[OVERRIDES], RETRY_OF: failed.number}
    # What a sampler noted of the whole study when it chose these values is not news.
    fresh.system_attrs = {key: value for key, value in fresh.system_attrs.items() if key != STUDY_NOTES}
    return fresh
