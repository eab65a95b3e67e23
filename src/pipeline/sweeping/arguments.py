"""What the command line of a search says: what all trials share, and what is searched."""

from collections.abc import Container
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException

from pipeline.errors import ConfigError
from pipeline.search.expressions import written


def read_arguments(arguments: list[str]) -> tuple[list[Override], dict[str, str]]:
    """The overrides that all trials share, and the keys that the command line varies with their values. Raises
    ConfigError where it varies a setting of the search itself."""
    fixed, varied = list[Override](), dict[str, str]()
    try:
        for override in OverridesParser.create().parse_overrides(arguments):
            text = override.input_line or ""
            of_search = _bare(override.get_key_element()).split(".")[0].split("/")[0] in ("hydra", "sweep")
            if of_search and override.is_sweep_override():
                raise ConfigError(f"found '{text}', expected one value: a search has one of each setting.")
            if override.is_sweep_override():
                varied[override.get_key_element()] = text.partition("=")[2]
            elif not of_search:
                fixed.append(override)
    except HydraException as error:
        raise ConfigError(" ".join(str(error).split())) from error
    return fixed, varied


def _bare(key: str) -> str:
    """A key without the signs by which Hydra adds it or takes it away."""
    return key.lstrip("+~")


def space_of(space: dict[str, Any], fixed: list[Override], varied: dict[str, str]) -> dict[str, Any]:
    """The space of a file, less what the command line fixes, with what it varies instead or besides. A key that depends
    on a fixed one is searched if that has the value for it."""
    given = {_bare(override.get_key_element()): _forms(override) for override in fixed}
    taken = {*given, *map(_bare, varied)}
    found = {key: values for key, values in space.items() if _bare(key) not in taken}
    gone = set[str]()
    while True:
        for key, values in list(found.items()):
            when = values.get("when") if isinstance(values, dict) else None
            if not isinstance(when, dict):
                continue
            if any(
                other in gone or not given.get(other, set(_texts(of))) & set(_texts(of)) for other, of in when.items()
            ):
                gone.add(_bare(key))
        if not gone & set(map(_bare, found)):
            break
        found = {key: values for key, values in found.items() if _bare(key) not in gone}
    return {key: _without(values, given) for key, values in found.items()} | varied


def _without(values: Any, given: Container[str]) -> Any:
    """The values of a key without the conditions on keys that are given."""
    if not isinstance(values, dict) or not isinstance(values.get("when"), dict):
        return values
    left = {other: of for other, of in values["when"].items() if other not in given}
    return {**values, "when": left} if left else values["of"]


def _forms(override: Override) -> set[str]:
    """The value of an override as it was written, and as we would write it."""
    text = (override.input_line or "").partition("=")[2]
    return {text} if override.is_delete() else {text, written("sweep.space", override.value())}


def _texts(wanted: Any) -> list[str]:
    """The values of a condition as they stand on a command line."""
    listed = wanted if isinstance(wanted, list | tuple) else [wanted]
    return [text if isinstance(text, str) else written("sweep.space", text) for text in listed]
