"""What a search varies: its keys with their values, which of them are there, and a trial's values as overrides."""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pipeline.errors import ConfigError, did_you_mean
from pipeline.search.expressions import EXAMPLES, parse_expression, written
from pipeline.search.parameter import Parameter, Value

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

MOST_IN_GRID = 10_000


@dataclass(frozen=True)
class Space:
    """All parameters. Those that a condition names stand before those that depend on them."""

    parameters: tuple[Parameter, ...]

    @cached_property
    def by_key(self) -> dict[str, Parameter]:
        return {parameter.key: parameter for parameter in self.parameters}

    @property
    def conditional(self) -> bool:
        return any(parameter.when for parameter in self.parameters)

    @cached_property
    def distributions(self) -> "dict[str, BaseDistribution]":
        """What Optuna chooses from, without those that have one value alone, by name."""
        found = {each.key: each.distribution for each in sorted(self.parameters, key=lambda each: each.key)}
        return {key: distribution for key, distribution in found.items() if not distribution.single()}

    def active(self, parameter: Parameter, chosen: Mapping[str, Value]) -> bool:
        """Whether `parameter` is there, given the values of those before it."""
        return all(
            key in chosen and self.by_key[key].text(chosen[key]) in texts for key, texts in parameter.when.items()
        )

    def overrides(self, values: Mapping[str, Value]) -> list[str]:
        """One trial's values as Hydra's overrides."""
        there = [parameter for parameter in self.parameters if parameter.key in values]
        return [f"{each.prefix}{each.key}={each.text(values[each.key])}" for each in there]

    def grid(self) -> Iterator[dict[str, Value]]:
        """Every combination of values; the last key changes fastest, as in Hydra's own grids."""
        yield from self._combinations(0, {})

    def _combinations(self, at: int, chosen: dict[str, Value]) -> Iterator[dict[str, Value]]:
        if at == len(self.parameters):
            yield dict(chosen)
            return
        parameter = self.parameters[at]
        if not self.active(parameter, chosen):
            yield from self._combinations(at + 1, chosen)
            return
        for index in range(parameter.size):
            yield from self._combinations(at + 1, {**chosen, parameter.key: parameter.value(index)})

    @cached_property
    def grid_points(self) -> list[dict[str, Value]]:
        """The combinations of a grid. Raises ConfigError where they cannot be counted, or are too many."""
        for parameter in self.parameters:
            if not parameter.size:
                raise ConfigError(
                    f"sweep.space.{parameter.key}: an interval has no end of values, and sweep.sampler.name=grid tries "
                    f"each one. Use choice(...) or range(...), or another sampler."
                )
        points = []
        for point in self.grid():
            points.append(point)
            if len(points) > MOST_IN_GRID:
                most = math.prod(parameter.size for parameter in self.parameters)
                raise ConfigError(
                    f"sweep.space: the grid has up to {most:,} combinations, expected {MOST_IN_GRID:,} at most. "
                    f"Leave values out, or use sweep.sampler.name=random."
                )
        return points


def parse_space(space: Mapping[str, Any]) -> Space:
    """The parameters of `sweep.space`. Raises ConfigError for what is no range of values."""
    if not space:
        raise ConfigError(f"sweep.space: found nothing to search, expected keys with {EXAMPLES}.")
    parsed: dict[str, Parameter] = {}
    for key, entry in space.items():
        parameter = _parse_entry(str(key), entry)
        if parameter.key in parsed:
            raise ConfigError(f"sweep.space: '{parameter.key}' stands twice. Keep one of them.")
        parsed[parameter.key] = parameter
    conditions = {key: entry["when"] for key, entry in space.items() if isinstance(entry, Mapping)}
    for key, when in conditions.items():
        name = key.lstrip("+")
        parsed[name] = replace(parsed[name], when=_parse_when(name, when, parsed))
    return Space(tuple(_parents_first(parsed)))


def _parse_entry(key: str, entry: Any) -> Parameter:
    where = f"sweep.space.{key}"
    if isinstance(entry, Mapping):
        if set(entry) != {"when", "of"} or not isinstance(entry["when"], Mapping) or not entry["when"]:
            raise ConfigError(
                f"{where}: found {', '.join(map(str, entry)) or 'nothing'}, expected when (another key and its value) "
                f"and of (the values), such as {{when: {{trainer.optimizer.name: sgd}}, of: 'interval(0, 0.9)'}}."
            )
        entry = entry["of"]
    if not isinstance(entry, str):
        raise ConfigError(f"{where}: found {entry!r}, expected {EXAMPLES}. One value alone is an override: {key}=...")
    if re.search(r"\b(shuffle|sort)\s*\(", re.sub(r"'[^']*'|\"[^\"]*\"", "", entry)):
        raise ConfigError(f"{where}: found '{entry}'. The sampler decides the order; leave out shuffle and sort.")
    return parse_expression(where, key, entry)


def _parse_when(key: str, when: Mapping[str, Any], parsed: Mapping[str, Parameter]) -> dict[str, tuple[str, ...]]:
    where = f"sweep.space.{key}.when"
    conditions: dict[str, tuple[str, ...]] = {}
    for other, values in when.items():
        if other not in parsed or other == key:
            raise ConfigError(f"{where}: '{other}' is not searched {did_you_mean(other, set(parsed) - {key})}")
        known = parsed[other].texts
        if not known:
            raise ConfigError(f"{where}: '{other}' is an interval, expected a choice or a range.")
        # a text is as Hydra reads it; YAML's own true, null and numbers are written as Hydra reads those
        alternatives = values if isinstance(values, list | tuple) else [values]
        texts = [value if isinstance(value, str) else written(where, value) for value in alternatives]
        for text in texts:
            if text not in known:
                raise ConfigError(f"{where}: '{text}' is not a value of {other} {did_you_mean(text, known)}")
        conditions[str(other)] = tuple(texts)
    return conditions


def _parents_first(parsed: dict[str, Parameter]) -> list[Parameter]:
    """In the order given, but for keys that depend on later ones."""
    ordered: dict[str, Parameter] = {}
    waiting = list(parsed.values())
    while waiting:
        ready = next((each for each in waiting if set(each.when) <= set(ordered)), None)
        if ready is None:
            keys = ", ".join(each.key for each in waiting)
            raise ConfigError(f"sweep.space: {keys} depend on each other in a circle. Leave out one condition.")
        ordered[ready.key] = ready
        waiting.remove(ready)
    return list(ordered.values())
