"""Keras callbacks that act at epoch ends, under every trainer, by the name that `trainer.callbacks` uses.

    trainer:
      callbacks:
        reduce_on_plateau: {patience: 5, factor: 0.5}

A callback of your own: a `keras.callbacks.Callback` in a file beside this and a line in CALLBACKS. It is called at
the beginning and end of the training and of each epoch, not of each batch. Of its attributes, numbers,
texts, arrays, lists of these and dicts with texts as keys go into checkpoints, so that a resumed run is the same run.
"""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import ConfigError, did_you_mean

NOT_STATE = ("params", "validation_data", "_model")
ARRAY = "numpy.ndarray"  # {ARRAY: 3} stands for the fourth array


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


def check_rate_is_settable(callbacks: list[Any], schedule: str) -> None:
    """Raise ConfigError for a callback of Keras' that sets the learning rate where a schedule does; Keras would raise
    a TypeError once it does, epochs later."""
    import keras

    setters = (keras.callbacks.ReduceLROnPlateau, keras.callbacks.LearningRateScheduler)
    for callback in callbacks:
        if schedule != "constant" and isinstance(callback, setters):
            raise ConfigError(
                f"trainer.callbacks: {type(callback).__name__} sets the learning rate, and so does "
                f"trainer.optimizer.schedule={schedule}. Set that to constant, or leave the callback out."
            )


def state_of(callback: Any, arrays: list[NDArray[Any]]) -> dict[str, Any]:
    """Those attributes of a callback that JSON can hold but for arrays, which go to the end of `arrays`: their places
    there stand for them."""
    state = {}
    for key, value in vars(callback).items():
        found = list(arrays)
        if key not in NOT_STATE and (plain := _plain(value, found)) is not NotImplemented:
            state[key], arrays[:] = plain, found
    return state


def restore_state(callback: Any, state: dict[str, Any], arrays: list[NDArray[Any]]) -> None:
    """Give a callback the attributes that `state_of` found."""
    vars(callback).update({key: _with_arrays(value, arrays) for key, value in state.items()})


def _plain(value: Any, arrays: list[NDArray[Any]]) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, np.ndarray) and not value.dtype.hasobject:
        arrays.append(value)
        return {ARRAY: len(arrays) - 1}
    if isinstance(value, list | tuple):
        items = [_plain(item, arrays) for item in value]
        return NotImplemented if NotImplemented in items else items
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        named = {key: _plain(item, arrays) for key, item in value.items()}
        return NotImplemented if NotImplemented in named.values() else named
    return NotImplemented


def _with_arrays(value: Any, arrays: list[NDArray[Any]]) -> Any:
    if isinstance(value, list):
        return [_with_arrays(item, arrays) for item in value]
    if isinstance(value, dict):
        if value.keys() == {ARRAY}:
            return arrays[value[ARRAY]]
        return {key: _with_arrays(item, arrays) for key, item in value.items()}
    return value
