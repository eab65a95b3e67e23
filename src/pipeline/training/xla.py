"""Whether the graph goes to XLA. The answer changes the bits, so it depends on configuration and data alone."""

from pipeline.config import TrainerConfig
from pipeline.errors import ConfigError
from pipeline.training.runtime import on_gpu

# Measured on two cores (benchmarks/training.py): XLA makes a step of these families four times faster and takes half
# a second to compile, which is earned back after about so many steps. Convolutions take 5 to 30 times longer with it,
# recurrent layers up to 3 times. On a GPU nothing is measured yet.
FASTER_WITH_XLA = ("linear", "logistic")
STEPS_THAT_PAY = 5000


def uses_xla(config: TrainerConfig, family: str, steps: int, streamed: bool) -> bool:
    """`trainer.xla` as it is; auto: for the trainer `compiled`, where measurement says that it pays over `steps`."""
    if config.xla == "on" and streamed:
        raise ConfigError(
            "trainer.xla=on needs the features in memory: raise trainer.resident_bytes, or set it to off."
        )
    if config.xla != "auto":
        return config.xla == "on"
    return (
        config.name == "compiled"
        and not streamed
        and family in FASTER_WITH_XLA
        and steps >= STEPS_THAT_PAY
        and not on_gpu()
    )
