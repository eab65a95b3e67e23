"""`python -m pipeline.train -m experiment=... sweep=...`: begin a search or go on with it, and tell how it ended."""

from collections.abc import Iterator
from dataclasses import replace

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from omegaconf import DictConfig

from pipeline.compose import typed
from pipeline.config.checks import one_of
from pipeline.config.sweep import SweepConfig
from pipeline.errors import ConfigError
from pipeline.files import digest_value
from pipeline.layout import Layout
from pipeline.search.parameter import Value
from pipeline.search.plan import FREE, Plan
from pipeline.search.space import Space, parse_space
from pipeline.sweeping.bases import Base, bases_of, compose_trial, state_of
from pipeline.tasks import TASKS, larger_is_better, objectives
from pipeline.tracking.sweep import Sweep, command_given
from pipeline.train import PARAMETERS

DIGITS = 8


def search(composed: DictConfig, arguments: list[str]) -> None:
    """Run the search that Hydra has composed from conf/sweep/ and these arguments, until it has all its trials.

    Raises ConfigError before any trial starts where it cannot be run, and at the end where trials have failed that
    should not.
    """
    from pipeline.search.study import Study
    from pipeline.sweeping.ending import end
    from pipeline.sweeping.workers import check_place, run_workers

    layout = Layout.find()
    settings = typed(composed.sweep, "sweep")
    check_place(settings)
    plan = make_plan(layout, settings, arguments)
    study = Study.create_or_open(plan, layout)
    note(plan, layout)
    print(f"sweep {plan.name}: {study.total} trials, sampler {plan.settings.sampler.name}, {plan.settings.mode}")
    run_workers(study, layout)
    end(study, layout)


def note(plan: Plan, layout: Layout) -> None:
    """Keep with the sweep's records what was asked, for MLflow, the page and `adopt`."""
    space = {key: values if isinstance(values, str) else str(values) for key, values in plan.settings.space.items()}
    # The first one of several: all machines must show the sweep in the same place.
    experiment = plan.experiment.split(",")[0]
    Sweep(command_given(), experiment, space).save(layout.sweep(plan.name))


def make_plan(layout: Layout, settings: SweepConfig, arguments: list[str]) -> Plan:
    """What is to be searched, from the settings and the overrides of the command line. All that can be wrong with it is
    told here, and missing data are prepared here, once for all workers."""
    fixed, varied = _read(arguments)
    given = {override.partition("=")[0].lstrip("+") for override in fixed}
    kept = {key: values for key, values in settings.space.items() if key.lstrip("+") not in given}
    settings = replace(settings, space=kept | varied)
    space = parse_space(settings.space)
    for extreme in _extremes(space):
        compose_trial(layout, [*fixed, *extreme])
    bases = bases_of(layout, fixed, space)
    settings = replace(settings, objectives=_objectives(settings, bases))
    directions = tuple("maximize" if larger_is_better(name) else "minimize" for name in settings.objectives)
    names = sorted({base.config.name for base in bases})
    plan = Plan(settings.name, ",".join(names), tuple(fixed), settings, directions, state_of(bases))
    plan.checked()
    return plan if plan.name else replace(plan, name=_name(plan))


def _read(arguments: list[str]) -> tuple[list[str], dict[str, str]]:
    """The overrides that all trials share, and the keys that the command line varies with their values."""
    fixed, varied = list[str](), dict[str, str]()
    try:
        for override in OverridesParser.create().parse_overrides(arguments):
            key, text = override.get_key_element(), override.input_line or ""
            if key.lstrip("+~").split(".")[0].split("/")[0] in ("hydra", "sweep"):
                continue
            if override.is_sweep_override():
                varied[key] = text.partition("=")[2]
            else:
                fixed.append(text)
    except HydraException as error:
        raise ConfigError(" ".join(str(error).split())) from error
    return fixed, varied


def _name(plan: Plan) -> str:
    """The name that the same command gets again. What may change from one start to the next is no part of it."""
    values = plan.as_json()
    asked = {key: value for key, value in values["settings"].items() if key not in (*FREE, "name")}
    return (
        f"{plan.experiment.replace('/', '.').replace(',', '-')}-{digest_value([asked, values['overrides']])[:DIGITS]}"
    )


def _extremes(space: Space) -> Iterator[list[str]]:
    """Two trials: with the first value of each key, and with the last one."""
    for first in (True, False):
        chosen: dict[str, Value] = {}
        for parameter in space.parameters:
            if space.active(parameter, chosen):
                numbers = parameter.low if first else parameter.high
                chosen[parameter.key] = numbers if parameter.numeric else parameter.texts[0 if first else -1]
        yield space.overrides(chosen)


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
