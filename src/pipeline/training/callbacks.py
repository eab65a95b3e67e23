"""Keras callbacks that act at epoch ends, under every trainer, by the name that `trainer.callbacks` uses.

    trainer:
      callbacks:
        reduce_on_plateau: {patience: 5, factor: 0.5}

A callback of your own: a `keras.callbacks.Callback` in a file beside this and a line in CALLBACKS. It is called at
the beginning and end of the training and of each epoch, not of each batch. Its attributes go into checkpoints, so that
a resumed run is the same run: numbers, texts, arrays, and lists, tuples, sets and dicts of these. A callback that keeps
anything else is refused at the start.
"""

import inspect
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import ConfigError, did_you_mean

if TYPE_CHECKING:
    import keras

NOT_STATE = ("params", "validation_data", "_model")


def reduce_on_plateau(**arguments: Any) -> "keras.callbacks.Callback":
    """Keras' ReduceLROnPlateau. Which way is better it finds out by the metrics that a model is compiled with; here
    they are the trainer's."""
    import keras

    larger = str(arguments.get("monitor", "")).endswith("accuracy")
    return keras.callbacks.ReduceLROnPlateau(**{"mode": "max" if larger else "min"} | arguments)


CALLBACKS: "dict[str, Callable[..., keras.callbacks.Callback]]" = {"reduce_on_plateau": reduce_on_plateau}


def build_callbacks(chosen: dict[str, dict[str, Any]]) -> "list[keras.callbacks.Callback]":
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


def check_monitors(callbacks: "list[keras.callbacks.Callback]", names: Iterable[str]) -> None:
    """Raise ConfigError for a callback that waits for a value which no epoch has (`names`); Keras would only warn."""
    for callback in callbacks:
        monitor = getattr(callback, "monitor", None)
        if monitor is not None and monitor not in names:
            raise ConfigError(f"trainer.callbacks: monitor '{monitor}' is unknown {did_you_mean(monitor, names)}")


def check_rate_is_settable(callbacks: "list[keras.callbacks.Callback]", schedule: str) -> None:
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


def state_of(callback: "keras.callbacks.Callback", arrays: list[NDArray[Any]]) -> dict[str, Any]:
    """A callback's attributes as JSON holds them, but for arrays, which go to the end of `arrays`: their places there
    stand for them. Functions, classes and modules are code, not state, and are left out.

    Raises ConfigError that names an attribute which a checkpoint cannot hold: a resumed run would be another one.
    """
    state = {}
    for key, value in vars(callback).items():
        if key in NOT_STATE or is_code(value):
            continue
        try:
            state[key] = _plain(value, arrays)
        except TypeError as error:
            raise ConfigError(
                f"trainer.callbacks: {type(callback).__name__}.{key} holds a {error}, which a checkpoint cannot, so "
                "that a resumed training would differ. Keep numbers, texts, arrays, or lists, tuples, sets and dicts "
                "of these."
            ) from error
    return state


def is_code(value: object) -> bool:
    """A function, a class or a module, which does not change; other objects that can be called may have state."""
    return inspect.isroutine(value) or inspect.isclass(value) or inspect.ismodule(value) or isinstance(value, np.ufunc)


def restore_state(callback: "keras.callbacks.Callback", state: dict[str, Any], arrays: list[NDArray[Any]]) -> None:
    """Give a callback the attributes that `state_of` found."""
    vars(callback).update({key: _back(value, arrays) for key, value in state.items()})


# Containers other than lists stand as {KIND: their items}; of a dict, pairs of key and value.
CONTAINERS: dict[str, type[Any]] = {"tuple": tuple, "set": set, "frozenset": frozenset, "dict": dict}
ARRAY, SCALAR = "numpy.ndarray", "numpy.generic"  # {ARRAY: 3} stands for the fourth array


def _plain(value: Any, arrays: list[NDArray[Any]]) -> Any:
    """Raises TypeError with the name of a type that cannot be held."""
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, np.ndarray | np.generic) and not value.dtype.hasobject:
        arrays.append(np.asarray(value))
        return {ARRAY if isinstance(value, np.ndarray) else SCALAR: len(arrays) - 1}
    if type(value) is list:
        return [_plain(item, arrays) for item in value]
    for kind, container in CONTAINERS.items():
        if type(value) is container:
            items = value.items() if container is dict else value
            return {kind: [_plain(list(item) if container is dict else item, arrays) for item in items]}
    raise TypeError(type(value).__name__)


def _back(value: Any, arrays: list[NDArray[Any]]) -> Any:
    if isinstance(value, list):
        return [_back(item, arrays) for item in value]
    if isinstance(value, dict):
        ((kind, held),) = value.items()
        if kind in (ARRAY, SCALAR):
            return arrays[held] if kind == ARRAY else arrays[held][()]
        return CONTAINERS[kind](_back(item, arrays) for item in held)
    return value
