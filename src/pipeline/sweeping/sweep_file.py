"""What a file of conf/sweep/ says beside the space, and what the command says instead."""

from collections.abc import Iterator

from hydra.core.override_parser.overrides_parser import OverridesParser

from pipeline.config.sweep import SweepConfig
from pipeline.search.options import for_another
from pipeline.search.pruners import PRUNERS
from pipeline.search.samplers import SAMPLERS


def settings_of_command(settings: SweepConfig, arguments: list[str]) -> SweepConfig:
    """The settings without what a file has set for a sampler or a pruner that the command replaces."""
    given = set(_keys(arguments))
    settings = for_another(settings, "sampler", {name: member.options for name, member in SAMPLERS.items()}, given)
    return for_another(settings, "pruner", {name: member.options for name, member in PRUNERS.items()}, given)


def _keys(arguments: list[str]) -> Iterator[str]:
    """The keys that the arguments give, those in a mapping too, as in `sweep.pruner={name: median}`."""
    for override in OverridesParser.create().parse_overrides(arguments):
        yield override.key_or_group
        value = override.value()
        if isinstance(value, dict):
            yield from (f"{override.key_or_group}.{key}" for key in value)
