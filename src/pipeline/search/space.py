"""What a search varies: from Hydra's expressions to parameters with values, and back to overrides.

`interval(0, 0.5)`, `tag(log, interval(1e-4, 1e-2))`, `tag(int, interval(1, 8))`, `choice(adam, sgd)`, `a,b` and
`range(1, 9)` mean what they mean on Hydra's command line. A value is written back so that Hydra reads the same value.
"""

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import ChoiceSweep, IntervalSweep, Quote, QuotedString, RangeSweep, Transformer
from hydra.errors import HydraException

from pipeline.errors import ConfigError, did_you_mean

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

Value = str | float  # a choice is the text that Hydra reads; a number is a number
TAGS = ("log", "int")
EXAMPLES = "interval(0, 0.5), tag(log, interval(1e-4, 1e-2)), tag(int, interval(1, 8)), choice(a, b) or range(1, 9)"
MOST_IN_GRID = 10_000


@dataclass(frozen=True)
class Parameter:
    """A key that is searched. `texts` are its values as Hydra reads them, for a choice or a range; numbers between
    `low` and `high` have none. `when` holds the values that other keys must have for this one to be there."""

    key: str
    prefix: str = ""  # + or ++
    texts: tuple[str, ...] = ()
    low: float = 0.0
    high: float = 0.0
    step: float = 0.0  # of a range; 0 for others
    log: bool = False
    whole: bool = False
    when: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def numeric(self) -> bool:
        return self.high > self.low or not self.texts

    @property
    def size(self) -> int:
        """How many values there are; 0 for an interval of numbers."""
        return len(self.texts)

    def text(self, value: Value) -> str:
        """`value` as Hydra reads it."""
        if isinstance(value, str):
            return value
        if self.texts:
            return self.texts[self.index(value)]
        return str(round(value)) if self.whole else repr(float(value))

    def index(self, value: Value) -> int:
        """Where `value` stands in `texts`."""
        if isinstance(value, str):
            return self.texts.index(value)
        return round((value - self.low) / self.step) if self.step else 0

    def value(self, index: int) -> Value:
        """The value whose text is `texts[index]`."""
        return float(self.texts[index]) if self.numeric else self.texts[index]

    @property
    def distribution(self) -> "BaseDistribution":
        from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

        if not self.numeric:
            return CategoricalDistribution(self.texts)
        if self.whole:
            return IntDistribution(int(self.low), int(self.high), log=self.log, step=int(self.step) or 1)
        return FloatDistribution(self.low, self.high, log=self.log, step=self.step or None)


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


@cache
def _parser() -> OverridesParser:
    return OverridesParser.create()


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
    return _parse_expression(where, key, entry)


def _parse_expression(where: str, key: str, text: str) -> Parameter:
    try:
        override = _parser().parse_override(f"{key}={text}")
    except (HydraException, ValueError) as error:
        reason = " ".join(str(error).split("See https://")[0].split())
        raise ConfigError(f"{where}: '{text}' cannot be read ({reason}). Expected {EXAMPLES}.") from error
    name = override.key_or_group if override.package is None else f"{override.key_or_group}@{override.package}"
    if name.startswith(("hydra.", "hydra/", "sweep.")) or override.is_delete():
        raise ConfigError(f"{where}: found '{key}', expected a key of the experiment.")
    parameter = Parameter(name, override.get_key_element().removesuffix(name))
    value = override.value()
    if isinstance(value, IntervalSweep):
        return _interval(where, text, parameter, value)
    if isinstance(value, RangeSweep):
        return _range(where, text, parameter, value)
    if isinstance(value, ChoiceSweep):
        return _choice(where, text, parameter, value)
    if override.is_sweep_override():
        raise ConfigError(f"{where}: '{text}' names options by a pattern. Write them out: choice(a, b).")
    raise ConfigError(f"{where}: found '{text}', expected {EXAMPLES}. One value alone is an override: {key}={text}")


def _interval(where: str, text: str, parameter: Parameter, sweep: IntervalSweep) -> Parameter:
    _check_tags(where, sweep.tags, TAGS)
    assert sweep.start is not None
    assert sweep.end is not None
    low, high = float(sweep.start), float(sweep.end)
    log = "log" in sweep.tags
    whole = "int" in sweep.tags or (isinstance(sweep.start, int) and isinstance(sweep.end, int))
    if not (math.isfinite(low) and math.isfinite(high)):
        raise ConfigError(f"{where}: found '{text}', expected two finite numbers.")
    if low >= high:
        raise ConfigError(f"{where}: found '{text}', expected the lower end first and the ends to differ.")
    if log and low <= 0:
        raise ConfigError(f"{where}: found '{text}', expected a lower end above 0, since it has no logarithm else.")
    if whole and (low % 1 or high % 1):
        raise ConfigError(f"{where}: found '{text}', expected ends that are whole numbers.")
    return replace(parameter, low=low, high=high, log=log, whole=whole)


def _range(where: str, text: str, parameter: Parameter, sweep: RangeSweep) -> Parameter:
    """Hydra's range: the end is not among the values."""
    _check_tags(where, sweep.tags, ())
    start, stop, step = (Decimal(str(number)) for number in (sweep.start, sweep.stop, sweep.step))
    if step == 0 or not all(number.is_finite() for number in (start, stop, step)):
        raise ConfigError(f"{where}: found '{text}', expected finite numbers and a step that is not 0.")
    size = max(0, math.ceil((stop - start) / step))
    if size == 0:
        raise ConfigError(f"{where}: '{text}' holds no value. The end is not among the values.")
    if size > MOST_IN_GRID:
        raise ConfigError(
            f"{where}: '{text}' holds {size:,} values, expected {MOST_IN_GRID:,} at most. Use interval()."
        )
    whole = all(isinstance(number, int) for number in (sweep.start, sweep.stop, sweep.step))
    values = sorted(start + index * step for index in range(size))
    texts = tuple(str(int(value)) if whole else repr(float(value)) for value in values)
    low, high = float(values[0]), float(values[-1])
    return replace(parameter, texts=texts, low=low, high=high, step=float(abs(step)), whole=whole)


def _choice(where: str, text: str, parameter: Parameter, sweep: ChoiceSweep) -> Parameter:
    _check_tags(where, sweep.tags, ())
    values = [_plain(element) for element in sweep.list]
    texts = tuple(_written(where, value) for value in values)
    for index, value in enumerate(values):
        if any(_same(value, other) for other in values[:index]):
            raise ConfigError(f"{where}: '{text}' holds {texts[index]} twice. Keep one of them.")
    return replace(parameter, texts=texts)


def _plain(element: Any) -> Any:
    """A value of Hydra's grammar without its quotes."""
    if isinstance(element, QuotedString):
        return element.text
    if isinstance(element, list):
        return [_plain(each) for each in element]
    if isinstance(element, dict):
        return {_plain(key): _plain(each) for key, each in element.items()}
    return element


def _quoted(value: Any) -> Any:
    """A value with quotes around each text in it."""
    if isinstance(value, str):
        return QuotedString(value, Quote.single)
    if isinstance(value, list):
        return [_quoted(each) for each in value]
    return {key: _quoted(each) for key, each in value.items()} if isinstance(value, dict) else value


def _written(where: str, value: Any) -> str:
    """A text that Hydra reads as `value`. Its own writing forgets the quotes of a text that looks like a number."""
    for form in (value, _quoted(value)):
        text = Transformer.str(form)
        try:
            if _same(_parser().parse_override(f"x={text}").value(), value):
                return text
        except HydraException:
            continue
    raise ConfigError(f"{where}: {value!r} cannot be written as an override. Choose another value.")


def _same(one: Any, other: Any) -> bool:
    """Equal, and of the same type: 1 is not 1.0, True or '1'."""
    return repr(one) == repr(other)


def _check_tags(where: str, tags: Iterable[str], known: tuple[str, ...]) -> None:
    for tag in sorted(tags):
        if tag not in TAGS:
            raise ConfigError(f"{where}: the tag '{tag}' is unknown {did_you_mean(tag, TAGS)}")
        if tag not in known:
            raise ConfigError(f"{where}: the tag '{tag}' is for interval(...). Leave it out here.")


def _parse_when(key: str, when: Mapping[str, Any], parsed: Mapping[str, Parameter]) -> dict[str, tuple[str, ...]]:
    where = f"sweep.space.{key}.when"
    conditions: dict[str, tuple[str, ...]] = {}
    for other, values in when.items():
        if other not in parsed or other == key:
            raise ConfigError(f"{where}: '{other}' is not searched {did_you_mean(other, set(parsed) - {key})}")
        known = parsed[other].texts
        if not known:
            raise ConfigError(f"{where}: '{other}' is an interval, expected a choice or a range.")
        texts = [str(value) for value in (values if isinstance(values, list | tuple) else [values])]
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
