"""From what is asked of a search to its plan."""

import sys
from dataclasses import asdict, replace

from pipeline.compose import num_cores
from pipeline.config import Config
from pipeline.config.checks import one_of
from pipeline.config.sweep import SweepConfig
from pipeline.errors import ConfigError
from pipeline.files import digest_value
from pipeline.layout import Layout
from pipeline.objectives import PARAMETERS
from pipeline.search.plan import FREE, Plan
from pipeline.search.space import parse_space
from pipeline.sweeping.arguments import read_arguments, space_of
from pipeline.sweeping.bases import Base, bases_of, compose_trial, compose_variants, state_of
from pipeline.sweeping.sweep_file import settings_of_command, values_of_file
from pipeline.sweeping.variants import variants
from pipeline.tasks import TASKS, larger_is_better, objectives

DIGITS = 8
MOST_LETTERS = 80  # of the experiments' names in the name of a search


def make_plan(layout: Layout, settings: SweepConfig, arguments: list[str]) -> Plan:
    """What is to be searched, from the settings and the overrides of the command line. All that can be wrong with it is
    told here, and missing data are prepared here, once for all workers."""
    fixed, varied = read_arguments(arguments)
    settings = settings_of_command(settings, arguments)
    settings = replace(settings, space=space_of(settings.space, fixed, varied))
    space = parse_space(settings.space)
    shared = [override.input_line or "" for override in fixed]
    shared += values_of_file(layout, arguments, shared, space)
    configs = compose_variants(layout, shared, space)
    _check_one_process(configs)
    _tell_crowding(settings, configs[0].trainer.threads)
    bases = bases_of(layout, shared, space)
    settings = replace(settings, objectives=_objectives(settings, bases))
    directions = tuple("maximize" if larger_is_better(name) else "minimize" for name in settings.objectives)
    names = sorted({base.config.name for base in bases})
    plan = Plan(settings.name, ",".join(names), tuple(shared), settings, directions, state_of(layout, bases))
    plan.checked()
    return plan if plan.name else replace(plan, name=_name(plan))


def num_threads(plan: Plan, layout: Layout) -> int:
    """With how many threads each trial computes."""
    first = next(variants(parse_space(plan.settings.space)))
    return compose_trial(layout, [*plan.overrides, *first]).trainer.threads


def _name(plan: Plan) -> str:
    """The name that the same command gets again. What may change from one start to the next is no part of it."""
    values = plan.as_json()
    asked = {key: value for key, value in values["settings"].items() if key not in (*FREE, "name")}
    digest = digest_value([asked, values["overrides"]])[:DIGITS]
    return f"{plan.experiment.replace('/', '.').replace(',', '-')[:MOST_LETTERS]}-{digest}"


def _check_one_process(configs: list[Config]) -> None:
    """Raise ConfigError for trials that one process cannot train one after another."""
    settings = [asdict(config.trainer.tensorflow) for config in configs]
    for key, value in settings[0].items():
        others = sorted({str(other[key]) for other in settings})
        if len(others) > 1:
            raise ConfigError(
                f"trainer.{key}: found {', '.join(others)}, but a search has one value ({value} or another), since "
                "TensorFlow is set up once in a process."
            )
    strategies = {config.trainer.strategy for config in configs} & {"multi_worker"}
    if strategies:
        raise ConfigError("trainer.strategy: found multi_worker. A search trains each trial in one process.")


def _tell_crowding(settings: SweepConfig, threads: int) -> None:
    """Say where workers would wait for cores. It is not changed here, since the number of threads changes the bits."""
    wanted, cores = settings.workers * threads, num_cores()
    if settings.on == "here" and settings.workers > 1 and wanted > cores:
        told = (
            f"{settings.workers} workers with trainer.threads={threads} want {wanted} cores, this machine has {cores}"
        )
        one_each = "; trainer.threads=1 gives other bits, and each worker a core of its own"
        print(told + (one_each if settings.workers <= cores else ""), file=sys.stderr)


def _objectives(settings: SweepConfig, bases: list[Base]) -> list[str]:
    """The objectives. Raises ConfigError for what some trial would not have, the names of the constraints included."""
    own = sorted({base.config.objective for base in bases})
    if not settings.objectives and len(own) > 1:
        raise ConfigError(f"sweep.objectives: the experiments have different ones ({', '.join(own)}). Name one.")
    wanted = settings.objectives or own
    bounds = [constraint.name for constraint in settings.parsed_constraints()]
    for base in bases:
        task = TASKS[base.config.dataset.task]
        known = (*objectives(task), PARAMETERS)
        for key, names in {"objectives": wanted, "constraints": bounds}.items():
            for name in names:
                one_of(f"sweep.{key}", name, known)
        if settings.pruner.name != "none":
            one_of("sweep.objectives with a pruner", wanted[0], ("val_loss", f"val_{task.training_metric}"))
    return list(wanted)
