"""Several trainings by hand, one after another in this process, kept as the jobs of a sweep."""

import logging
import os
import time
from functools import partial
from pathlib import Path

from pipeline.errors import ConfigError
from pipeline.layout import LOCK, Layout
from pipeline.run import Run, identified
from pipeline.train import train


def numbers_among(
    arguments: list[str], defaults: dict[str, int], least: dict[str, int]
) -> tuple[dict[str, int], list[str]]:
    """The whole numbers that `key=value` arguments of the command itself give, and the other arguments, which are
    overrides of the configuration. Raises ConfigError for other numbers, and where no experiment is named."""
    found, others = dict(defaults), []
    for argument in arguments:
        key, _, value = argument.partition("=")
        if key not in defaults:
            others.append(argument)
            continue
        if not (value.isascii() and value.isdecimal()) or int(value) < least[key]:
            raise ConfigError(f"{key}: found {value!r}, expected a whole number, {least[key]} or more.")
        found[key] = int(value)
    if not any(argument.startswith("experiment=") for argument in others):
        raise ConfigError(f"experiment missing. Usage: experiment=... [{'=...] ['.join(defaults)}=...] [key=value]")
    return found, others


def train_jobs(layout: Layout, jobs: list[list[str]]) -> tuple[Path, list[Run]]:
    """Train with each of these lists of overrides, and return the sweep's folder, which holds a record of each job, and
    the runs. A job that was trained before is not trained again.

    Raises ConfigError for a configuration that cannot be used, and DataError for data that cannot, before anything is
    trained; ConfigError also for a job that fails.
    """
    from pipeline import locks
    from pipeline.compose import compose_config
    from pipeline.tracking.sweep import Sweep, command_given
    from pipeline.tracking.sweep_job import SweepJob

    # Each training has a model of its own, which TensorFlow would call tracing the same function again and again.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    configs = [compose_config(layout, "config", overrides) for overrides in jobs]
    if given := [config.output for config in configs if config.output]:
        raise ConfigError(f"output: found '{given[0]}', expected none, since each training has a folder of its own.")
    runs = [identified(config, layout) for config in configs]
    folder = layout.sweep(f"{time.strftime('%Y-%m-%d_%H-%M-%S')}-{os.getpid()}")
    with locks.hold(folder / LOCK, f"sweep {folder.name}"):
        Sweep(command_given()).save(folder)
        for number, (overrides, config) in enumerate(zip(jobs, configs, strict=True)):
            job = SweepJob(folder, number, overrides)
            job.run(partial(train, config))
            if job.error:
                raise ConfigError(f"job {number} ({' '.join(overrides)}): {job.error}")
    return folder, runs
