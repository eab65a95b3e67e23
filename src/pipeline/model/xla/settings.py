"""Compares the settings of a layer with those that a fast path knows."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import keras


def unusual_setting(layer: "keras.Layer", usual: dict[str, Any]) -> str | None:
    """The first setting of a layer that is not as in `usual`, as a text such as `has padding=valid`; None if all
    are."""
    for name, value in usual.items():
        if (found := getattr(layer, name)) != value:
            return f"has {name}={getattr(found, '__name__', found)}"
    return None
