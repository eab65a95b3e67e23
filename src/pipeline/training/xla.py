"""Whether the graph goes to XLA. The answer changes the bits, so it depends on configuration and data alone."""

from collections.abc import Iterator
from contextlib import contextmanager

from pipeline.config import TrainerConfig
from pipeline.errors import ConfigError
from pipeline.training.job import Examples
from pipeline.training.runtime import on_gpu

# Measured on two cores (benchmarks/training.py): XLA makes a step of these families four times faster and takes half
# a second to compile, which is earned back after about so many steps. Convolutions take 5 to 30 times longer with it,
# recurrent layers up to 3 times. On a GPU nothing is measured yet.
FASTER_WITH_XLA = ("linear", "logistic")
STEPS_THAT_PAY = 5000


@contextmanager
def refused_by_xla(used: bool) -> Iterator[None]:
    """Turn XLA's error for what it cannot compute, or not deterministically, into one line."""
    import tensorflow as tf

    try:
        yield
    except tf.errors.UnimplementedError as error:
        if not used:
            raise
        reason = next((line.strip() for line in str(error).splitlines() if "XLA" in line), str(error)[:200])
        raise ConfigError(f"trainer.xla=on cannot train this model ({reason}). Set it to auto or off.") from error


def uses_xla(config: TrainerConfig, family: str, train: Examples) -> bool:
    """`trainer.xla` as it is; auto: for the trainer `compiled`, where measurement says that it pays.

    Raises ConfigError where XLA is asked for and cannot be.
    """
    cannot = "features in memory" if train.streamed else "trainer.strategy=none" if config.strategy != "none" else ""
    if config.xla == "on" and cannot:
        raise ConfigError(f"trainer.xla=on needs {cannot}.")
    if config.xla != "auto" or cannot:
        return config.xla == "on"
    steps = config.epochs * -(-train.num_rows // config.batch_size)
    return config.name == "compiled" and family in FASTER_WITH_XLA and steps >= STEPS_THAT_PAY and not on_gpu()
