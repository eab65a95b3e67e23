"""What a file of conf/sweep/ says beside the space, and what the command says instead."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser

from pipeline.compose import compose_incomplete, read_yaml
from pipeline.config.sweep import SweepConfig
from pipeline.errors import ConfigError
from pipeline.layout import Layout
from pipeline.search.expressions import written
from pipeline.search.options import for_another
from pipeline.search.pruners import PRUNERS
from pipeline.search.samplers import SAMPLERS
from pipeline.search.space import Space
from pipeline.sweeping.bases import GROUPS
from pipeline.sweeping.differing import all_keys, differing_keys
from pipeline.sweeping.variants import variants_of

SEARCHES = {"override /hydra/sweeper": "search"}  # what makes a multirun a search


def settings_of_command(settings: SweepConfig, arguments: list[str]) -> SweepConfig:
    """The settings without what a file has set for a sampler or a pruner that the command replaces."""
    given = set(_keys(arguments))
    settings = for_another(settings, "sampler", {name: member.options for name, member in SAMPLERS.items()}, given)
    return for_another(settings, "pruner", {name: member.options for name, member in PRUNERS.items()}, given)


def values_of_file(layout: Layout, arguments: list[str], fixed: list[str], space: Space) -> list[str]:
    """As overrides for all trials, what the file that `sweep=` chooses sets beside the settings of the search. What is
    `fixed` by the command counts more, and of what is searched the trial's own value."""
    chosen = next((argument for argument in reversed(arguments) if argument.startswith("sweep=")), "")
    groups = _groups(layout.conf / "sweep" / f"{chosen.partition('=')[2]}.yaml") if chosen else None
    if groups is None:
        return []
    taken = {*_keys(arguments), *space.by_key}
    others = [f"{group}={option}" for group, option in groups.items() if group not in taken]
    return [*others, *_values(layout, chosen, [*fixed, *others], space)]


def _groups(path: Path) -> dict[str, str] | None:
    """What a file of conf/sweep/ chooses of Hydra's groups; None of one that has settings of the search alone."""
    if not path.is_file():
        return {}  # Hydra has found it elsewhere
    values = read_yaml(path)
    defaults = [entry for entry in values.get("defaults", []) if entry != SEARCHES]
    if not defaults and set(values) <= {"defaults", "sweep"}:
        return None
    overrides = {key: option for entry in defaults if isinstance(entry, dict) for key, option in entry.items()}
    groups = {key.removeprefix("override ").lstrip("/"): option for key, option in overrides.items()}
    return {group: "null" if option is None else str(option) for group, option in groups.items() if group in GROUPS}


def _values(layout: Layout, chosen: str, fixed: list[str], space: Space) -> list[str]:
    """The values that the file `chosen` changes, whichever groups a trial chooses; those that are searched, and that
    each trial has, are not among them."""
    found: dict[str, str] = {}
    variants = variants_of(space, GROUPS)
    with_file = [_composed(layout, [*fixed, chosen, *variant]) for variant in variants]
    for wanted, variant in zip(with_file, variants, strict=True):
        before = _composed(layout, [*fixed, *variant])
        known = set(all_keys(before))
        for key, value in differing_keys(wanted, before):
            found[key] = f"{'' if key in known else '++'}{key}={written(key, value)}"
    for wanted, variant in zip(with_file, variants, strict=True):
        for key, _ in differing_keys(wanted, _composed(layout, [*fixed, *found.values(), *variant])):
            raise ConfigError(f"{chosen} sets {key} to what no override says. Set it in an experiment's file.")
    return list(found.values())


def _composed(layout: Layout, overrides: list[str]) -> dict[str, Any]:
    return {key: value for key, value in compose_incomplete(layout, overrides).items() if key != "sweep"}


def _keys(arguments: list[str]) -> Iterator[str]:
    """The keys that the arguments give, those in a mapping too, as in `sweep.pruner={name: median}`."""
    for override in OverridesParser.create().parse_overrides(arguments):
        yield override.key_or_group
        value = override.value()
        if isinstance(value, dict):
            yield from (f"{override.key_or_group}.{key}" for key in value)
