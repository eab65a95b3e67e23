"""Settings of a layer, compared with those that a fast path knows."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import keras


def unusual_setting(layer: "keras.Layer", usual: dict[str, Any]) -> str | None:
    """The first setting of a layer that is not the usual one, as a text such as `has padding=valid`, or None."""
    for name, value in usual.items():
        if (found := getattr(layer, name)) != value:
            return f"has {name}={getattr(found, '__name__', found)}"
    return None
