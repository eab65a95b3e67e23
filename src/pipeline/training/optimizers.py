"""Optimizers and learning-rate schedules."""

from typing import Any

from pipeline.config import OptimizerConfig


def build_optimizer(config: OptimizerConfig, total_steps: int) -> Any:
    """The Keras optimizer; `cosine` falls from the learning rate to 0 over `total_steps` (Loshchilov, Hutter 2017)."""
    import keras

    rate: Any = config.learning_rate
    if config.schedule == "cosine":
        rate = keras.optimizers.schedules.CosineDecay(config.learning_rate, total_steps)
    if config.name == "sgd":
        return keras.optimizers.SGD(rate, momentum=config.momentum, clipnorm=config.clip_norm)
    return keras.optimizers.Adam(rate, clipnorm=config.clip_norm)
