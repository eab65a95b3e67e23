"""Which values of a configuration are not those of another one."""

from collections.abc import Iterator, Mapping
from typing import Any


def differences(values: Mapping[str, Any], base: Mapping[str, Any]) -> dict[str, Any]:
    """The values that are not the same in `base`; of mappings their differing entries alone."""
    found = {}
    for key, value in values.items():
        other = base.get(key)
        if isinstance(value, dict) and isinstance(other, dict):
            if inner := differences(value, other):
                found[key] = inner
        elif key not in base or value != other:
            found[key] = value
    return found


def differing_keys(values: Mapping[str, Any], base: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The same as pairs of a key, such as `trainer.epochs`, and its value."""
    for key, value in differences(values, base).items():
        other = base.get(key)
        if isinstance(value, dict) and isinstance(other, dict):
            yield from differing_keys(value, other, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def all_keys(values: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """All keys of a configuration, those of mappings in it too, such as `trainer.epochs`."""
    for key, value in values.items():
        yield f"{prefix}{key}"
        if isinstance(value, dict):
            yield from all_keys(value, f"{prefix}{key}.")
