"""What the trials of a search have in common: configuration, data and code, less the values that are searched."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipeline.compose import compose_config
from pipeline.config import Config
from pipeline.errors import ConfigError
from pipeline.files import digest_value
from pipeline.identity import Identity
from pipeline.layout import Layout
from pipeline.search.space import Space
from pipeline.train import identified

DIGITS = 8
# Hydra's groups that decide which code and data a trial uses.
GROUPS = ("experiment", "dataset", "model", "trainer", "debug")
MOST_CHOICES = 64  # of all groups together


@dataclass(frozen=True)
class Base:
    """What trials have in common that make the same choices of Hydra's groups."""

    config: Config
    identity: Identity


def bases_of(layout: Layout, shared: Sequence[str], space: Space) -> list[Base]:
    """A base for every combination of choices. Missing data are prepared."""
    return [_base(layout, [*shared, *choices]) for choices in _choices(space)]


def digest_of(bases: list[Base]) -> str:
    """A digest that changes with the configuration, data, code and lock file of any trial, whatever its values."""
    parts = [(base.identity["config"], base.identity["data"], base.identity["code"]) for base in bases]
    return digest_value([*parts, bases[0].identity["lock"]])[:DIGITS]


def composed_trial(layout: Layout, overrides: list[str]) -> Config:
    config: Config = compose_config(layout, "config", overrides)
    if config.output:
        raise ConfigError(f"output: found '{config.output}', expected none in a sweep, whose jobs are kept apart.")
    return config


def _base(layout: Layout, overrides: list[str]) -> Base:
    config = composed_trial(layout, overrides)
    return Base(config, identified(config, layout).identity)


def _choices(space: Space) -> Iterator[list[str]]:
    """Every combination of the values of those keys that are groups of Hydra's."""
    groups = [parameter for parameter in space.parameters if parameter.key in GROUPS and not parameter.when]
    combinations = itertools.product(*([f"{group.key}={text}" for text in group.texts] for group in groups))
    for number, combination in enumerate(combinations):
        if number == MOST_CHOICES:
            raise ConfigError(
                f"sweep.space: {', '.join(group.key for group in groups)} have more than {MOST_CHOICES} combinations. "
                "Leave values out, or search them one after another."
            )
        yield list(combination)
