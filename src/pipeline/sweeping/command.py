"""`python -m pipeline.train -m experiment=... sweep=...`: begin a search or go on with it, and tell how it ended."""

import sys
from collections.abc import Container, Iterator
from dataclasses import asdict, replace
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from omegaconf import DictConfig

from pipeline.compose import num_cores, typed
from pipeline.config import Config
from pipeline.config.checks import one_of
from pipeline.config.sweep import SweepConfig
from pipeline.errors import ConfigError
from pipeline.files import digest_value
from pipeline.layout import Layout
from pipeline.objectives import PARAMETERS
from pipeline.search.expressions import written
from pipeline.search.parameter import Parameter, Value
from pipeline.search.plan import FREE, Plan
from pipeline.search.space import Space, parse_space
from pipeline.sweeping.bases import Base, bases_of, compose_trial, state_of
from pipeline.tasks import TASKS, larger_is_better, objectives
from pipeline.tracking.sweep import Sweep, command_given

DIGITS = 8
MOST_VARIANTS = 64  # that are composed before the search begins
MOST_LETTERS = 80  # of the experiments' names in the name of a search


def search(composed: DictConfig, arguments: list[str]) -> None:
    """Run the search that Hydra has composed from conf/sweep/ and these arguments, until it has all its trials.

    Raises ConfigError before any trial starts where it cannot be run, and at the end where trials have failed that
    should not.
    """
    from pipeline.search.study import Study
    from pipeline.sweeping.ending import end
    from pipeline.sweeping.workers import check_place, run_workers

    launcher = composed.hydra.runtime.choices["hydra/launcher"]
    if launcher != "basic":
        raise ConfigError(f"hydra/launcher={launcher} is for grids. A search has its own workers: sweep.workers=4.")
    layout = Layout.find()
    settings = typed(composed.sweep, "sweep")
    check_place(settings)
    plan = make_plan(layout, settings, arguments)
    study = Study.create_or_open(plan, layout)
    note(plan, layout, study.done)
    print(f"sweep {plan.name}: {study.total} trials, sampler {plan.settings.sampler.name}, {plan.settings.mode}")
    run_workers(study, layout)
    end(study, layout)


def note(plan: Plan, layout: Layout, ended: bool) -> None:
    """Keep with the sweep's records what was asked, for MLflow, the page and `adopt`, and whether it has ended."""
    space = {key: values if isinstance(values, str) else str(values) for key, values in plan.settings.space.items()}
    # Of several experiments the first one: all machines must show the sweep in the same place.
    experiment = plan.experiment.split(",")[0]
    Sweep(command_given(), experiment, space, ended).save(layout.sweep(plan.name))


def make_plan(layout: Layout, settings: SweepConfig, arguments: list[str]) -> Plan:
    """What is to be searched, from the settings and the overrides of the command line. All that can be wrong with it is
    told here, and missing data are prepared here, once for all workers."""
    fixed, varied = _read(arguments)
    settings = replace(settings, space=_space_of(settings.space, fixed, varied))
    space = parse_space(settings.space)
    shared = [override.input_line or "" for override in fixed]
    configs = [compose_trial(layout, [*shared, *variant]) for variant in _variants(space)]
    _check_one_process(configs)
    _tell_crowding(settings, configs[0].trainer.threads)
    bases = bases_of(layout, shared, space)
    settings = replace(settings, objectives=_objectives(settings, bases))
    directions = tuple("maximize" if larger_is_better(name) else "minimize" for name in settings.objectives)
    names = sorted({base.config.name for base in bases})
    plan = Plan(settings.name, ",".join(names), tuple(shared), settings, directions, state_of(bases))
    plan.checked()
    return plan if plan.name else replace(plan, name=_name(plan))


def _read(arguments: list[str]) -> tuple[list[Override], dict[str, str]]:
    """The overrides that all trials share, and the keys that the command line varies with their values. Raises
    ConfigError where it varies a setting of the search itself."""
    fixed, varied = list[Override](), dict[str, str]()
    try:
        for override in OverridesParser.create().parse_overrides(arguments):
            text = override.input_line or ""
            of_search = _bare(override.get_key_element()).split(".")[0].split("/")[0] in ("hydra", "sweep")
            if of_search and override.is_sweep_override():
                raise ConfigError(f"found '{text}', expected one value: a search has one of each setting.")
            if override.is_sweep_override():
                varied[override.get_key_element()] = text.partition("=")[2]
            elif not of_search:
                fixed.append(override)
    except HydraException as error:
        raise ConfigError(" ".join(str(error).split())) from error
    return fixed, varied


def _bare(key: str) -> str:
    """A key without the signs by which Hydra adds it or takes it away."""
    return key.lstrip("+~")


def _space_of(space: dict[str, Any], fixed: list[Override], varied: dict[str, str]) -> dict[str, Any]:
    """The space of a file, less what the command line fixes, with what it varies instead or besides. A key that depends
    on a fixed one is searched if that has the value for it."""
    given = {_bare(override.get_key_element()): _forms(override) for override in fixed}
    taken = {*given, *map(_bare, varied)}
    found = {key: values for key, values in space.items() if _bare(key) not in taken}
    gone = set[str]()
    while True:
        for key, values in list(found.items()):
            when = values.get("when") if isinstance(values, dict) else None
            if not isinstance(when, dict):
                continue
            if any(
                other in gone or not given.get(other, set(_texts(of))) & set(_texts(of)) for other, of in when.items()
            ):
                gone.add(_bare(key))
        if not gone & set(map(_bare, found)):
            break
        found = {key: values for key, values in found.items() if _bare(key) not in gone}
    return {key: _without(values, given) for key, values in found.items()} | varied


def _without(values: Any, given: Container[str]) -> Any:
    """The values of a key without the conditions on keys that are given."""
    if not isinstance(values, dict) or not isinstance(values.get("when"), dict):
        return values
    left = {other: of for other, of in values["when"].items() if other not in given}
    return {**values, "when": left} if left else values["of"]


def _forms(override: Override) -> set[str]:
    """The value of an override as it was written, and as we would write it."""
    text = (override.input_line or "").partition("=")[2]
    return {text} if override.is_delete() else {text, written("sweep.space", override.value())}


def _texts(wanted: Any) -> list[str]:
    """The values of a condition as they stand on a command line."""
    listed = wanted if isinstance(wanted, list | tuple) else [wanted]
    return [text if isinstance(text, str) else written("sweep.space", text) for text in listed]


def _name(plan: Plan) -> str:
    """The name that the same command gets again. What may change from one start to the next is no part of it."""
    values = plan.as_json()
    asked = {key: value for key, value in values["settings"].items() if key not in (*FREE, "name")}
    digest = digest_value([asked, values["overrides"]])[:DIGITS]
    return f"{plan.experiment.replace('/', '.').replace(',', '-')[:MOST_LETTERS]}-{digest}"


def _variants(space: Space) -> Iterator[list[str]]:
    """Trials with each end of each range and each choice, so that what cannot be composed is told before the search."""
    first = {parameter.key: _ends(parameter)[0] for parameter in space.parameters}
    tried = set[tuple[str, ...]]()
    for parameter in space.parameters:
        for value in _ends(parameter):
            variant = tuple(_active(space, {**first, **_parents(space, parameter), parameter.key: value}))
            if variant not in tried and len(tried) < MOST_VARIANTS:
                tried.add(variant)
                yield list(variant)


def _parents(space: Space, parameter: Parameter) -> dict[str, Value]:
    """Values of the keys that this one depends on, with which it is there."""
    found: dict[str, Value] = {}
    for key, texts in parameter.when.items():
        parent = space.by_key[key]
        found |= {**_parents(space, parent), key: parent.value(parent.texts.index(texts[0]))}
    return found


def _ends(parameter: Parameter) -> list[Value]:
    return [parameter.low, parameter.high] if parameter.numeric else list(parameter.texts)


def _active(space: Space, values: dict[str, Value]) -> list[str]:
    """The overrides of a trial with those of the values that are there."""
    chosen: dict[str, Value] = {}
    for parameter in space.parameters:
        if space.active(parameter, chosen):
            chosen[parameter.key] = values[parameter.key]
    return space.overrides(chosen)


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
        print(f"{told}; trainer.threads=1 gives other bits, and each worker a core of its own", file=sys.stderr)


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
