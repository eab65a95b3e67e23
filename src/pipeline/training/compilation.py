"""Whether XLA compiles a training. The answer changes the last bits, so it depends on configuration and data alone."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pipeline.config import TrainerConfig
from pipeline.errors import ConfigError
from pipeline.model.xla import slow_layer
from pipeline.model.xla.convolution import patch_bytes
from pipeline.tensorflow_process import on_gpu

if TYPE_CHECKING:
    import keras

# Processor seconds on two cores, by benchmarks/compilation.py (benchmarks/README.md has its table). They were measured
# beside other work, which lengthens all of them alike; only their ratios count. But for recurrent layers, products of
# matrices and convolutions take about as long with XLA as without, so what XLA saves is the rest:
SAVED_BY_CALL = 2e-4  # TensorFlow calls an operation for a layer and one for each of its variables
SAVED_BY_CELL = 2.5e-4  # and dozens for a recurrent cell at each time step,
SAVED_BY_WEIGHT = 1.35e-10  # where Keras, in its gradient, multiplies with each weight more often
SAVED_BY_NUMBER = 4e-9  # each number in a layer's outputs is written, and read by the next layer, where XLA fuses both
LOST_BY_PATCH_BYTE = 1.2e-9  # but a convolution writes its patches

WITHOUT_OPERATION, CONVOLUTIONS = ("InputLayer", "Flatten", "Reshape"), ("Conv1D", "Conv2D")
COMPILING, COMPILING_A_LAYER, COMPILING_A_CELL = 1.5, 0.9, 3.5


@contextmanager
def refused_by_xla(used: bool) -> Iterator[None]:
    """Turn XLA's error for what it cannot compute, or not deterministically, into one line."""
    import tensorflow as tf

    try:
        yield
    except (tf.errors.UnimplementedError, tf.errors.InvalidArgumentError) as error:
        reason = next((line.strip() for line in str(error).splitlines() if "XLA" in line or "tf2xla" in line), None)
        if not used or reason is None:
            raise
        raise ConfigError(f"XLA cannot train this model ({reason}). Set trainer.xla=off.") from error


def uses_xla(config: TrainerConfig, core: "keras.Model", num_rows: int) -> bool:
    """Whether XLA compiles the training of `core` on so many rows: `trainer.xla`, where `auto` is for what pays.

    Raises ConfigError where XLA is asked for and cannot be, or has no fast form of a layer.
    """
    # Keras' fit quietly does without XLA where operations are to be deterministic
    cannot = [f"trainer={config.name}"] if config.name != "compiled" else []
    cannot += [f"trainer.strategy={config.strategy}"] if config.strategy != "none" else []
    if config.xla == "off" or (config.xla == "auto" and cannot):
        return False
    if cannot:
        raise ConfigError(f"trainer.xla=on is for trainer=compiled without a strategy, found {' and '.join(cannot)}.")
    if on_gpu():  # where XLA is fast with every layer, and nothing is measured
        return config.xla == "on"
    slow = slow_layer(core, config.batch_size)
    if config.xla == "on" and slow:
        raise ConfigError(
            f"trainer.xla=on: the layer {slow}, and XLA has no fast form of that on a CPU. Set trainer.xla=auto or off."
        )
    if config.xla == "on":
        return True
    return config.precision == "float32" and slow is None and pays(core, config, num_rows)


def pays(core: "keras.Model", config: TrainerConfig, num_rows: int) -> bool:
    """Whether XLA saves more time in the training of `core` on so many rows than it takes to compile.

    Both are estimated from the model's layers, the rows and the epochs. A wrong estimate costs time, but changes no
    more than the rounding.
    """
    rows = num_rows * config.epochs
    steps = config.epochs * -(-num_rows // config.batch_size)
    saved, cost = 0.0, COMPILING
    for layer in core.layers:
        saved += rows * math.prod(layer.output.shape[1:]) * SAVED_BY_NUMBER
        if cells := _cells(layer):
            saved += steps * cells * layer.input.shape[1] * SAVED_BY_CELL
            saved += rows * layer.input.shape[1] * layer.count_params() * SAVED_BY_WEIGHT
            cost += cells * COMPILING_A_CELL
        elif type(layer).__name__ not in WITHOUT_OPERATION:
            saved += steps * (1 + len(layer.variables)) * SAVED_BY_CALL
            cost += COMPILING_A_LAYER
        if type(layer).__name__ in CONVOLUTIONS:
            saved -= patch_bytes(layer, (rows, *layer.input.shape[1:])) * LOST_BY_PATCH_BYTE
    return saved > cost


def _cells(layer: "keras.Layer") -> int:
    """How many recurrent cells there are in a layer: 2 in a Bidirectional, 0 in one that is not recurrent."""
    if type(layer).__name__ == "Bidirectional":
        return _cells(layer.forward_layer) + _cells(layer.backward_layer)
    return int(hasattr(layer, "cell"))
