"""Trials at the ends of a space, which are composed before the search begins."""

from collections.abc import Iterator

from pipeline.search.parameter import Parameter, Value
from pipeline.search.space import Space

MOST_VARIANTS = 64


def variants(space: Space) -> Iterator[list[str]]:
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
