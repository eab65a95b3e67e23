"""Keras callbacks that act at epoch ends, under every trainer, by the name that `trainer.callbacks` uses.

    trainer:
      callbacks:
        reduce_on_plateau: {patience: 5, factor: 0.5}

A callback of your own: a `keras.callbacks.Callback` in a file beside this and a line in CALLBACKS. It is called at
the beginning and end of the training and of each epoch, not of each batch. Of its attributes, those that JSON can
hold go into checkpoints, so that a resumed run is the same run.
"""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from pipeline.errors import ConfigError, did_you_mean

NOT_STATE = ("params", "validation_data", "_model")


def reduce_on_plateau(**arguments: Any) -> Any:
    """Keras' ReduceLROnPlateau. Which way is better it finds out by the metrics that a model is compiled with; here
    they are the trainer's."""
    import keras

    larger = str(arguments.get("monitor", "")).endswith("accuracy")
    return keras.callbacks.ReduceLROnPlateau(**{"mode": "max" if larger else "min"} | arguments)


CALLBACKS: dict[str, Callable[..., Any]] = {"reduce_on_plateau": reduce_on_plateau}


def build_callbacks(chosen: dict[str, dict[str, Any]]) -> list[Any]:
    """The callbacks that a configuration names; raises ConfigError for an unknown name or argument."""
    built = []
    for name, arguments in chosen.items():
        if name not in CALLBACKS:
            raise ConfigError(f"trainer.callbacks: '{name}' is unknown {did_you_mean(name, CALLBACKS)}")
        try:
            built.append(CALLBACKS[name](**arguments))
        except (TypeError, ValueError) as error:
            raise ConfigError(f"trainer.callbacks.{name}: {error}") from error
    return built


def check_monitors(callbacks: list[Any], names: Iterable[str]) -> None:
    """Raise ConfigError for a callback that waits for a value which no epoch has (`names`); Keras would only warn."""
    for callback in callbacks:
        monitor = getattr(callback, "monitor", None)
        if monitor is not None and monitor not in names:
            raise ConfigError(f"trainer.callbacks: monitor '{monitor}' is unknown {did_you_mean(monitor, names)}")


def state_of(callback: Any) -> dict[str, Any]:
    """Those attributes of a callback that JSON can hold."""
    plain = {key: _plain(value) for key, value in vars(callback).items() if key not in NOT_STATE}
    return {key: value for key, value in plain.items() if value is not NotImplemented}


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list | tuple):
        items = [_plain(item) for item in value]
        return NotImplemented if NotImplemented in items else items
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        named = {key: _plain(item) for key, item in value.items()}
        return NotImplemented if NotImplemented in named.values() else named
    return NotImplemented
