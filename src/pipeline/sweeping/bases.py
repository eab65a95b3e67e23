"""What the trials of a search use of this checkout: what all workers must share."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipeline.compose import compose_config
from pipeline.config import Config
from pipeline.errors import ConfigError
from pipeline.files import digest_value
from pipeline.identity import Identity
from pipeline.layout import Layout
from pipeline.run import identified
from pipeline.search.plan import STATE, Plan
from pipeline.search.space import Space, parse_space

DIGITS = 8
# Hydra's groups that decide which code and data a trial uses.
GROUPS = ("experiment", "dataset", "model", "trainer", "debug")
MOST_CHOICES = 64  # of all groups together; each is composed before the search begins


@dataclass(frozen=True)
class Base:
    """What trials have in common that make the same choices of Hydra's groups."""

    config: Config
    identity: Identity


def bases_of(layout: Layout, fixed: Sequence[str], space: Space) -> list[Base]:
    """One for each combination of choices. Data that are missing are prepared."""
    return [_base(layout, [*fixed, *choices]) for choices in _choices(space)]


def state_of(bases: Sequence[Base]) -> str:
    """A digest of each part of STATE, for all trials together. The values that are searched are no part of it."""
    return " ".join(f"{part}:{digest_value([dict(base.identity)[part] for base in bases])[:DIGITS]}" for part in STATE)


def check_checkout(plan: Plan, layout: Layout) -> None:
    """Raise ConfigError where this checkout is not in the state in which the search was begun."""
    plan.check_state(state_of(bases_of(layout, plan.overrides, parse_space(plan.settings.space))))


def compose_trial(layout: Layout, overrides: list[str]) -> Config:
    config: Config = compose_config(layout, "config", overrides)
    if config.output:
        raise ConfigError(f"output: found '{config.output}', expected none in a sweep, whose jobs are kept apart.")
    return config


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


def _base(layout: Layout, overrides: list[str]) -> Base:
    config = compose_trial(layout, overrides)
    return Base(config, identified(config, layout).identity)
