"""Columns as a YAML file declares them."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from pipeline.config import ColumnConfig
from pipeline.config.checks import check, one_of
from pipeline.data.types import TYPES
from pipeline.errors import ConfigError, did_you_mean

QUOTED = "texts in quotes: YAML reads an unquoted yes, no, true, false, on or off as a truth value"
# In words, what an option takes, by the type that its dataclass declares.
WORDS: dict[Any, str] = {
    str: "a text",
    list[str]: "a list of texts",
    list[str] | None: "a list of texts",
    list[int]: "a list of whole numbers",
    int: "a whole number",
    float: "a number",
    float | None: "a number",
    bool: "true or false",
    dict[str, str]: 'texts and what stands in their place, such as {"[0-9]": "0"}',
}


def is_list_of_texts(given: object) -> bool:
    """Whether a value of YAML is a list of texts, or of numbers, which stand for the texts that say them."""
    return isinstance(given, list | tuple) and all(
        isinstance(entry, str | int | float) and not isinstance(entry, bool) for entry in given
    )


def column_config(where: str, given: Any) -> ColumnConfig:
    """The configuration of a column, from the name of its type or from its type and options.

    Raises ConfigError, which begins with `where`, for what is none.
    """
    options = {"type": given} if isinstance(given, str) else given
    check(isinstance(options, Mapping) and "type" in options, where, given, "a type's name, or type and its options")
    # YAML reads an unquoted true or false as a truth value, even where it is a key
    options = {str(key).lower() if isinstance(key, bool) else key: value for key, value in options.items()}
    one_of(f"{where}.type", str(options["type"]), tuple(TYPES))
    known = {entry.name: entry.type for entry in fields(TYPES[options["type"]].config)}
    config = OmegaConf.structured(TYPES[options["type"]].config)
    for name, value in options.items():
        if name not in known:
            advice = did_you_mean(str(name), known)
            raise ConfigError(f"{where}: '{name}' is not an option of type {options['type']} {advice}")
        truth = any(isinstance(entry, bool) for entry in (value if isinstance(value, list) else [value]))
        expected = WORDS.get(known[name], str(known[name]))
        check(not truth or known[name] is bool, f"{where}.{name}", value, QUOTED if "text" in expected else expected)
        try:
            OmegaConf.update(config, str(name), value)
        except OmegaConfBaseException as error:
            raise ConfigError(f"{where}.{name}: found {value!r}, expected {expected}.") from error
    made: Any = OmegaConf.to_object(config)
    if hasattr(made, "check"):
        try:
            made.check()
        except ConfigError as error:
            raise ConfigError(f"{where}.{error}") from error
    checked: ColumnConfig = made
    return checked
