"""Hydra's words for the values of a key, which mean what they mean on its command line: `interval(0, 0.5)`,
`tag(log, interval(1e-4, 1e-2))`, `tag(int, interval(1, 8))`, `choice(adam, sgd)`, `a,b` and `range(1, 9)`.
"""

import math
from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from functools import cache
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import ChoiceSweep, IntervalSweep, Quote, QuotedString, RangeSweep, Transformer
from hydra.errors import HydraException

from pipeline.errors import ConfigError, did_you_mean
from pipeline.search.parameter import Parameter

TAGS = ("log", "int")
EXAMPLES = "interval(0, 0.5), tag(log, interval(1e-4, 1e-2)), tag(int, interval(1, 8)), choice(a, b) or range(1, 9)"
MOST_IN_RANGE = 10_000


@cache
def _parser() -> OverridesParser:
    return OverridesParser.create()


def parse_expression(where: str, key: str, text: str) -> Parameter:
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
    if not math.isfinite(high - low):
        raise ConfigError(f"{where}: found '{text}', expected two finite numbers, not so far apart.")
    if low >= high:
        raise ConfigError(f"{where}: found '{text}', expected the lower end first and the ends to differ.")
    if log and low <= 0:
        raise ConfigError(f"{where}: found '{text}', expected a lower end above 0, since it has no logarithm else.")
    if whole and (low % 1 or high % 1):
        raise ConfigError(f"{where}: found '{text}', expected ends that are whole numbers.")
    return replace(parameter, low=low, high=high, log=log, whole=whole)


def num_in_range(where: str, text: str, sweep: RangeSweep) -> int:
    """How many values are in Hydra's range, whose end is not among them. Raises ConfigError where there is none."""
    start, stop, step = _ends(sweep)
    if step == 0 or not all(number.is_finite() for number in (start, stop, step)):
        raise ConfigError(f"{where}: found '{text}', expected finite numbers and a step that is not 0.")
    size = max(0, math.ceil((stop - start) / step))
    if size == 0:
        raise ConfigError(f"{where}: '{text}' holds no value. The end is not among the values.")
    return size


def _ends(sweep: RangeSweep) -> tuple[Decimal, Decimal, Decimal]:
    start, stop, step = (Decimal(str(number)) for number in (sweep.start, sweep.stop, sweep.step))
    return start, stop, step


def _range(where: str, text: str, parameter: Parameter, sweep: RangeSweep) -> Parameter:
    _check_tags(where, sweep.tags, ())
    (start, _, step), size = _ends(sweep), num_in_range(where, text, sweep)
    if size > MOST_IN_RANGE:
        raise ConfigError(
            f"{where}: '{text}' holds {size:,} values, expected {MOST_IN_RANGE:,} at most. Use interval()."
        )
    whole = all(isinstance(number, int) for number in (sweep.start, sweep.stop, sweep.step))
    values = sorted(start + index * step for index in range(size))
    texts = tuple(str(int(value)) if whole else repr(float(value)) for value in values)
    low, high = float(values[0]), float(values[-1])
    return replace(parameter, texts=texts, low=low, high=high, step=float(abs(step)), whole=whole)


def _choice(where: str, text: str, parameter: Parameter, sweep: ChoiceSweep) -> Parameter:
    _check_tags(where, sweep.tags, ())
    values = [_plain(element) for element in sweep.list]
    texts = tuple(written(where, value) for value in values)
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


def written(where: str, value: Any) -> str:
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
