"""Trials that are composed before a search begins, each standing for many others."""

import itertools
import math
from collections.abc import Container, Iterator

from pipeline.errors import ConfigError
from pipeline.search.parameter import Parameter, Value
from pipeline.search.space import Space

MOST_VARIANTS = 64
MOST_CHOICES = 64  # of all groups together


def variants(space: Space) -> Iterator[list[str]]:
    """Trials with each end of each range and each choice, so that what cannot be composed is told before the search."""
    tried = set[tuple[str, ...]]()
    for parameter in space.parameters:
        for value in _ends(parameter):
            variant = _trial(space, parameter, value)
            if variant not in tried and len(tried) < MOST_VARIANTS:
                tried.add(variant)
                yield list(variant)


def variants_of(space: Space, keys: Container[str]) -> list[list[str]]:
    """A trial for each combination of the values of these keys, and one for each value of those of them that depend on
    others. All else has its first value."""
    searched = [parameter for parameter in space.parameters if parameter.key in keys]
    free = [parameter for parameter in searched if not parameter.when]
    dependent = [parameter for parameter in searched if parameter.when]
    if math.prod(each.size for each in free) + sum(each.size for each in dependent) > MOST_CHOICES:
        raise ConfigError(
            f"sweep.space: {', '.join(each.key for each in searched)} have more than {MOST_CHOICES} combinations. "
            "Leave values out, or search them one after another."
        )
    combinations = itertools.product(*([(each.key, text) for text in each.texts] for each in free))
    found = [_active(space, _first(space) | dict(combination)) for combination in combinations]
    found += [_trial(space, each, each.value(index)) for each in dependent for index in range(each.size)]
    return [list(variant) for variant in dict.fromkeys(found)]


def _trial(space: Space, parameter: Parameter, value: Value) -> tuple[str, ...]:
    """The overrides of a trial with this value."""
    return _active(space, {**_first(space), **_parents(space, parameter), parameter.key: value})


def _first(space: Space) -> dict[str, Value]:
    return {parameter.key: _ends(parameter)[0] for parameter in space.parameters}


def _parents(space: Space, parameter: Parameter) -> dict[str, Value]:
    """Values of the keys that this one depends on, with which it is there."""
    found: dict[str, Value] = {}
    for key, texts in parameter.when.items():
        parent = space.by_key[key]
        found |= {**_parents(space, parent), key: parent.value(parent.texts.index(texts[0]))}
    return found


def _ends(parameter: Parameter) -> list[Value]:
    return [parameter.low, parameter.high] if parameter.numeric else list(parameter.texts)


def _active(space: Space, values: dict[str, Value]) -> tuple[str, ...]:
    """The overrides of a trial with those of the values that are there."""
    chosen: dict[str, Value] = {}
    for parameter in space.parameters:
        if space.active(parameter, chosen):
            chosen[parameter.key] = values[parameter.key]
    return tuple(space.overrides(chosen))
