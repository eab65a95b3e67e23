"""Keras callbacks that act at epoch ends, under every trainer, by the name that `trainer.callbacks` uses.

    trainer:
      callbacks:
        reduce_on_plateau: {patience: 5, factor: 0.5}

A callback of your own is a `keras.callbacks.Callback` in a file beside this, and a line in CALLBACKS. For example, with
`"halve_rate": halve_rate` in CALLBACKS, this file makes
`"+trainer.callbacks.halve_rate={every: 10}" trainer.optimizer.schedule=constant` work::

    def halve_rate(every: int) -> "keras.callbacks.Callback":
        import keras

        class HalveRate(keras.callbacks.Callback):
            def on_epoch_end(self, epoch, logs=None):
                if (epoch + 1) % every == 0:
                    self.model.optimizer.learning_rate = 0.5 * float(self.model.optimizer.learning_rate)

        return HalveRate()

Keras is imported inside of the function, so that configurations can be read without it. A callback is called at the
beginning and at the end of the training and of each epoch, but not of each batch. Its attributes go into checkpoints,
so that a resumed run is the same run. They may be numbers, texts, arrays, and lists, tuples, sets and dicts of these; a
callback that keeps anything else is refused at the start.
"""

import inspect
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import ConfigError, did_you_mean
from pipeline.tasks import larger_is_better

if TYPE_CHECKING:
    import keras

NOT_STATE = ("params", "validation_data", "_model")


def reduce_on_plateau(**arguments: Any) -> "keras.callbacks.Callback":
    """Keras' ReduceLROnPlateau, with `mode` set from the name of the value that it watches.

    Keras itself would find out whether larger is better from the metrics that the model is compiled with. Here the
    model has none, because the trainer computes the metrics.
    """
    import keras

    larger = larger_is_better(str(arguments.get("monitor", "")))
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
    """Raise ConfigError for a callback that watches a value which is not among `names`; Keras would only warn."""
    for callback in callbacks:
        monitor = getattr(callback, "monitor", None)
        if monitor is not None and monitor not in names:
            raise ConfigError(f"trainer.callbacks: monitor '{monitor}' is unknown {did_you_mean(monitor, names)}")


def check_rate_is_settable(callbacks: "list[keras.callbacks.Callback]", schedule: str) -> None:
    """Raise ConfigError where a callback of Keras' and a schedule would both set the learning rate.

    Keras would raise a TypeError only when the callback first sets it, which may be many epochs later.
    """
    import keras

    setters = (keras.callbacks.ReduceLROnPlateau, keras.callbacks.LearningRateScheduler)
    for callback in callbacks:
        if schedule != "constant" and isinstance(callback, setters):
            raise ConfigError(
                f"trainer.callbacks: {type(callback).__name__} sets the learning rate, and so does "
                f"trainer.optimizer.schedule={schedule}. Set that to constant, or leave the callback out."
            )


def state_of(callback: "keras.callbacks.Callback", arrays: list[NDArray[Any]]) -> dict[str, Any]:
    """A callback's attributes in a form that JSON can hold.

    Arrays are appended to `arrays`, and their positions in that list stand for them. Functions, classes and modules are
    left out, because they are code and not state.

    Raises ConfigError that names an attribute which a checkpoint cannot hold, because a resumed run would then differ.
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
    """Whether a value is a function, a class or a module, which do not change during a training.

    Other objects that can be called may have state, so they do not count as code.
    """
    return inspect.isroutine(value) or inspect.isclass(value) or inspect.ismodule(value) or isinstance(value, np.ufunc)


def restore_state(callback: "keras.callbacks.Callback", state: dict[str, Any], arrays: list[NDArray[Any]]) -> None:
    """Give a callback the attributes that `state_of` found."""
    vars(callback).update({key: _back(value, arrays) for key, value in state.items()})


# A list stays a list. Every other container is stored as {its name here: its items}; the items of a dict are pairs of
# key and value.
CONTAINERS: dict[str, type[Any]] = {"tuple": tuple, "set": set, "frozenset": frozenset, "dict": dict}
ARRAY, SCALAR = "numpy.ndarray", "numpy.generic"  # {ARRAY: 3} stands for the fourth of `arrays`


def _plain(value: Any, arrays: list[NDArray[Any]]) -> Any:
    """A value in a form that JSON can hold; raises TypeError with the name of a type that it cannot hold."""
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
    """The value of which `_plain` made `value`."""
    if isinstance(value, list):
        return [_back(item, arrays) for item in value]
    if isinstance(value, dict):
        ((kind, held),) = value.items()
        if kind in (ARRAY, SCALAR):
            return arrays[held] if kind == ARRAY else arrays[held][()]
        return CONTAINERS[kind](_back(item, arrays) for item in held)
    return value
