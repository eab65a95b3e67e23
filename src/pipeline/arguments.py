"""`key=value` arguments of commands that need nothing of conf/."""

from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import Any, TypeVar

from omegaconf import MISSING

from pipeline.config import DriftConfig, InspectConfig, PredictConfig, check_all
from pipeline.config.checks import one_of
from pipeline.errors import ConfigError, did_you_mean

Arguments = TypeVar("Arguments", DriftConfig, InspectConfig, PredictConfig)


def from_arguments(kind: type[Arguments], arguments: Sequence[str]) -> Arguments:
    """A schema object of these arguments alone. A field without a default must be given."""
    needed = [entry.name for entry in fields(kind) if entry.default == MISSING]
    others = [entry.name for entry in fields(kind) if entry.default != MISSING]
    # no quote is a choice, and no other value is nothing
    given = read_arguments(arguments, needed, others, may_be_empty=("quote",))
    types = {entry.name: entry.type for entry in fields(kind)}
    values: dict[str, Any] = {
        name: READ[types[name]](name, text) if types[name] in READ else text for name, text in given.items()
    }
    config = kind(**values)
    check_all(config)
    return config


def read_arguments(
    arguments: Sequence[str], needed: Sequence[str], others: Sequence[str], may_be_empty: Sequence[str] = ()
) -> dict[str, str]:
    """The values as they are written. Raises ConfigError for a key that is in neither list, for one of those `needed`
    that is missing, and for an empty value."""
    known = [*needed, *others]
    usage = " ".join(f"{name}=..." if name in needed else f"[{name}=...]" for name in known)
    given = dict(argument.partition("=")[::2] for argument in arguments)
    for name in given:
        if name not in known:
            raise ConfigError(f"'{name}' is unknown {did_you_mean(name, known)} Usage: {usage}")
    empty = [name for name, value in given.items() if not value and name not in may_be_empty]
    if missing := [name for name in known if name in empty or (name in needed and name not in given)]:
        raise ConfigError(f"{', '.join(missing)} missing. Usage: {usage}")
    return given


def _truth(name: str, value: str) -> bool:
    one_of(name, value.lower(), ("true", "false"))
    return value.lower() == "true"


def _number(name: str, value: str) -> float:
    try:
        return float(value)
    except ValueError as error:
        raise ConfigError(f"{name}: found {value!r}, expected a number.") from error


# how an argument becomes a value, by the type of its field; all others are texts
READ: dict[Any, Callable[[str, str], Any]] = {bool: _truth, float: _number}
