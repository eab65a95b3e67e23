"""Whether XLA compiles a training.

The answer changes the last bits of the weights, so it may depend on the configuration and the data alone.
"""

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

# These are processor seconds on two cores, measured by benchmarks/compilation.py (benchmarks/README.md has its table).
# Other work ran at the same time and lengthened all of them alike, so only their ratios count. Except in recurrent
# layers, products of matrices and convolutions take about as long with XLA as without. XLA saves time on everything
# else:
SAVED_BY_CALL = 2e-4  # for each operation that TensorFlow calls: one for a layer, one for each of its variables
SAVED_BY_CELL = 2.5e-4  # for each time step of a recurrent cell, which calls dozens of operations
SAVED_BY_WEIGHT = 1.35e-10  # for each weight of a recurrent cell, with which Keras' gradient multiplies more often
# for each number in a layer's outputs, which TensorFlow writes and the next layer reads, while XLA fuses both layers
SAVED_BY_NUMBER = 4e-9
LOST_BY_PATCH_BYTE = 1.2e-9  # for each byte of the patches that a convolution writes under XLA

WITHOUT_OPERATION, CONVOLUTIONS = ("InputLayer", "Flatten", "Reshape"), ("Conv1D", "Conv2D")
COMPILING, COMPILING_A_LAYER, COMPILING_A_CELL = 1.5, 0.9, 3.5


@contextmanager
def refused_by_xla(used: bool) -> Iterator[None]:
    """Turn the error that XLA raises for what it cannot compute, or not deterministically, into one line."""
    import tensorflow as tf

    try:
        yield
    except (tf.errors.UnimplementedError, tf.errors.InvalidArgumentError) as error:
        reason = next((line.strip() for line in str(error).splitlines() if "XLA" in line or "tf2xla" in line), None)
        if not used or reason is None:
            raise
        raise ConfigError(f"XLA cannot train this model ({reason}). Set trainer.xla=off.") from error


def uses_xla(config: TrainerConfig, takes_xla: bool, core: "keras.Model", num_rows: int) -> bool:
    """Whether XLA compiles the training of `core` on so many rows.

    That is what `trainer.xla` says; with `auto`, XLA compiles where it is estimated to save time. `takes_xla` is what
    the trainer says of itself. Raises ConfigError where XLA is asked for but has no fast form of a layer.
    """
    # Where XLA cannot be used, matching.py has refused trainer.xla=on.
    if config.xla == "off" or not takes_xla or config.strategy != "none":
        return False
    # On a GPU, XLA is fast with every layer, but nothing has been measured from which `auto` could estimate.
    if on_gpu():
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
