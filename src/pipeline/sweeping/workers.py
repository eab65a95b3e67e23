"""Where the workers of a search run: in this process, in processes of this machine, on a Ray cluster or under Slurm."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec

from pipeline import locks
from pipeline.cli import terminate_as_interrupt
from pipeline.config.sweep import SweepConfig
from pipeline.errors import ConfigError
from pipeline.layout import LOCK, Layout
from pipeline.search.study import Study
from pipeline.sweeping import on_ray, on_slurm
from pipeline.sweeping.deaths import was_cut_off
from pipeline.sweeping.processes import processes
from pipeline.sweeping.telling import Teller
from pipeline.sweeping.work import work

CLUSTER_LOCK = "requirements-cluster.lock"


@dataclass(frozen=True)
class Starter:
    """A place for workers. `start` lets as many as the settings ask for work on the search, and waits for them.
    `package` is what it needs beyond the default install."""

    start: Callable[[Study, Layout, float, Teller], None]
    package: str = ""


STARTERS = {
    "here": Starter(processes),
    "ray": Starter(on_ray.start, "ray"),
    "slurm": Starter(on_slurm.start, "submitit"),
}


def check_place(settings: SweepConfig) -> None:
    """Raise ConfigError where workers cannot run in the place that the settings name, before anything is begun."""
    starter = STARTERS[settings.on]
    if starter.package and find_spec(starter.package) is None:
        raise ConfigError(
            f"sweep.on: {settings.on} needs the package {starter.package}, which is not installed. Install it by: "
            f".venv/bin/python -m pip install --no-deps --require-hashes -r {CLUSTER_LOCK}"
        )
    for key in ("address", "resources"):
        if getattr(settings, key) and settings.on == "here":
            raise ConfigError(f"sweep.{key}: found {getattr(settings, key)}, expected none with sweep.on=here.")
    if settings.on == "slurm":
        on_slurm.check_address(settings.address)


def run_workers(study: Study, layout: Layout) -> None:
    """Let the workers that the settings ask for work on the search, and wait for them."""
    settings = study.plan.settings
    until = time.time() + settings.seconds if settings.seconds else 0.0
    teller = Teller(study, layout)
    teller.tell()
    if study.done:
        return
    terminate_as_interrupt()
    folder = layout.sweep(study.plan.name)
    # While somebody has this lock, the sweep counts as running. A second command on the same search just joins.
    with locks.held_when_free(folder / LOCK):
        # Where a worker has died in a trial, that may kill this process too; one of its own would be replaced.
        if settings.on == "here" and settings.workers == 1 and not was_cut_off(study, layout):
            work(study, layout, until, teller.tell, alone=True)
        else:
            STARTERS[settings.on].start(study, layout, until, teller)
    teller.tell()
