"""Whether a study of a name is the one that is asked for, before anything is written to it."""

from typing import TYPE_CHECKING

from pipeline.errors import ConfigError
from pipeline.layout import JOB, Layout
from pipeline.search.plan import Plan
from pipeline.search.postgres import shown
from pipeline.search.storage import JOURNAL_FILE
from pipeline.tracking.sweep import read_sweep

if TYPE_CHECKING:
    from optuna.storages import BaseStorage


def token_of_records(layout: Layout, name: str) -> str:
    """The token of the study whose records are in the sweep's folder; nothing where there are none."""
    folder = layout.sweep(name)
    return read_sweep(folder).study if any(folder.glob(f"*/{JOB}")) else ""


def check_records(plan: Plan, of_records: str, of_study: str | None) -> None:
    """Raise ConfigError where the records in the sweep's folder are of another study than that of this storage."""
    if of_records and of_records != of_study:
        raise ConfigError(
            f"sweep {plan.name}: its folder in runs/sweeps/ has records of another search of this name. Give the "
            "sweep.storage with which that was begun, remove the folder, or give sweep.name another name."
        )


def check_ours(plan: Plan, storage: "BaseStorage", study: int) -> None:
    """Raise ConfigError where a study that has no plan is somebody else's. Of ours, it is one that was just begun."""
    directions = [direction.name.lower() for direction in storage.get_study_directions(study)]
    if directions != list(plan.directions) or storage.get_n_trials(study):
        where = shown(plan.settings.storage) if plan.settings.storage else JOURNAL_FILE
        raise ConfigError(
            f"sweep {plan.name}: {where} has a study of this name that is no search of this pipeline. It is left as it "
            "is; give sweep.name another name."
        )
