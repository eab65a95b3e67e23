"""Whether the graph goes to XLA. The answer changes the bits, so it depends on configuration and data alone."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pipeline.config import TrainerConfig
from pipeline.errors import ConfigError
from pipeline.model.xla import convolution
from pipeline.tensorflow_process import on_gpu

# Measured on two cores (docs/performance.md): XLA makes a step of these families 2 to 5 times faster and takes half a
# second to eight seconds to compile. After so many steps all measured models of the family have earned that back (of
# linear and logistic ones the first: it is about tenths of a second). On a GPU nothing is measured.
STEPS_THAT_PAY = {"linear": 5000, "logistic": 5000, "cnn": 3000, "rnn": 600}


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


def uses_xla(config: TrainerConfig, family: str, core: Any, num_rows: int) -> bool:
    """`trainer.xla` as it is; auto: for the trainer `compiled`, where measurement says that it pays.

    Raises ConfigError where XLA is asked for and cannot be.
    """
    # Keras' fit quietly does without XLA where operations are to be deterministic
    cannot = [f"trainer={config.name}"] if config.name != "compiled" else []
    cannot += [f"trainer.strategy={config.strategy}"] if config.strategy != "none" else []
    if config.xla == "on" and cannot:
        raise ConfigError(f"trainer.xla=on is for trainer=compiled without a strategy, found {' and '.join(cannot)}.")
    if config.xla != "auto" or cannot:
        return config.xla == "on"
    if config.precision != "float32" or on_gpu() or family not in STEPS_THAT_PAY:
        return False
    steps = config.epochs * -(-num_rows // config.batch_size)
    return steps >= STEPS_THAT_PAY[family] and convolution.suits(core, config.batch_size)
