"""Errors of Hydra and OmegaConf in the form of our own: one line that says where, what was found and what is known."""

import re
from typing import Any

from omegaconf import DictConfig
from omegaconf.errors import KeyValidationError, OmegaConfBaseException

from pipeline.errors import ConfigError, did_you_mean


def explain(error: BaseException) -> ConfigError:
    """An error of Hydra or OmegaConf as a ConfigError whose one line says where it is, what was found and what is
    known."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ConfigError):
            return cause
        if isinstance(cause, OmegaConfBaseException):
            where = str(error).split("'")[1] if str(error).startswith("In '") else ""
            return explain_omegaconf(cause, where)
        cause = cause.__cause__ or cause.__context__
    return _unknown_choice(error) or _unquoted(error) or ConfigError(_one_line(error))


def _unquoted(error: BaseException) -> ConfigError | None:
    """Hydra's `LexerNoViableAltException: key=value` with a mark below the sign that it cannot read; None for any other
    error. Within quotes it reads all signs, but a shell takes the outer quotes away."""
    match = re.match(r"LexerNoViableAltException: (.*)\n( *)\^", str(error))
    if match is None:
        return None
    override, before = match.groups()
    sign = override[len(before) - len("LexerNoViableAltException: ") :][:1]
    return ConfigError(f"found {override}, in which '{sign}' needs quotes that the shell leaves: 'key=[\"a <= 1\"]'.")


def _unknown_choice(error: BaseException) -> ConfigError | None:
    """Hydra's `Could not find 'group/option'` in the form of our other errors, which name the known options and the
    nearest one; None for any other error."""
    match = re.search(r"Could not find '(\S+)/(\S+)'\s+Available options in '\S+':((?:\n\t\S+)+)", str(error))
    if match is None:
        return None
    group, found, listed = match.groups()
    known = [option for option in listed.split() if not option.endswith("_schema")]
    elsewhere = " A grid runs elsewhere by sweep=grid sweep.on=ray, or slurm." if group == "hydra/launcher" else ""
    return ConfigError(f"{group}: '{found}' is unknown {did_you_mean(found, known)}{elsewhere}")


def explain_omegaconf(error: OmegaConfBaseException, where: str) -> ConfigError:
    """An error of OmegaConf as a ConfigError. `where` is the file or group that the value stands in, or ""."""
    if isinstance(error, KeyValidationError):
        place, mark = f"{where}: " if where else "", "?" if error.key is None else error.key
        return ConfigError(f'{place}found the key {error.key}, expected a text. Put it in quotes: "{mark}"')
    known = getattr(error.object_type, "__dataclass_fields__", None) if error.object_type else None
    if known and error.key is not None and str(error.key) not in known:
        return unknown_field(error.object_type, str(error.key), where)
    place = f"{where}: " if where else ""
    name = f"{error.full_key}: " if error.full_key else ""
    return ConfigError(f"{place}{name}{_not_fields(error) or _one_line(error)}")


def _not_fields(error: OmegaConfBaseException) -> str:
    """What is said of a single value in the place of several fields, such as `sweep.sampler=random`; nothing of any
    other error."""
    if not str(error).startswith("Invalid type assigned") or not isinstance(error.child_node, DictConfig):
        return ""
    known = list(error.child_node)
    instead = f" Write {error.full_key}.name={error.value}." if "name" in known else ""
    return f"found {error.value!r}, expected fields ({', '.join(map(str, known))}).{instead}"


def _one_line(error: BaseException) -> str:
    """The message without OmegaConf's trailing `full_key:` and `object_type=` lines."""
    lines = [line.strip() for line in str(error).splitlines()]
    kept = [line for line in lines if line and not line.startswith(("full_key:", "object_type=", "reference_type="))]
    return " ".join(kept)


def unknown_field(kind: Any, name: str, where: str) -> ConfigError:
    """The error that `name` is no field of the dataclass `kind`. It calls CnnConfig `cnn`, the name that users know."""
    known = kind.__dataclass_fields__
    called = kind.__name__.removesuffix("Config").lower() or "config"
    place = f"{where}: " if where else ""
    return ConfigError(f"{place}'{name}' is not a field of {called} {did_you_mean(name, known)}")
