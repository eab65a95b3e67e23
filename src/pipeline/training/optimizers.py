"""Optimizers and learning-rate schedules.

Keras writes an optimizer's step as a dozen operations for each variable, and for a small model these take half the time
of a training step. TensorFlow has one kernel for each of these steps, with the same formula in the same order.
"""

from functools import cache
from typing import TYPE_CHECKING

from pipeline.config import OptimizerConfig

if TYPE_CHECKING:
    import keras


def build_optimizer(config: OptimizerConfig, total_steps: int) -> "keras.optimizers.Optimizer":
    """The Keras optimizer; `cosine` falls from the learning rate to 0 over `total_steps` (Loshchilov, Hutter 2017)."""
    rate = SCHEDULES[config.schedule](config.learning_rate, total_steps)
    return OPTIMIZERS[config.name](config, rate)


def constant(rate: float, total_steps: int) -> float:
    """The learning rate as it is."""
    return rate


def cosine(rate: float, total_steps: int) -> "keras.optimizers.schedules.LearningRateSchedule":
    """From the learning rate to 0, by half a wave."""
    import keras

    return keras.optimizers.schedules.CosineDecay(rate, total_steps)


def adam(
    config: OptimizerConfig, rate: "float | keras.optimizers.schedules.LearningRateSchedule"
) -> "keras.optimizers.Optimizer":
    return _adam()(rate, clipnorm=config.clip_norm)


def sgd(
    config: OptimizerConfig, rate: "float | keras.optimizers.schedules.LearningRateSchedule"
) -> "keras.optimizers.Optimizer":
    import keras

    return keras.optimizers.SGD(rate, momentum=config.momentum, clipnorm=config.clip_norm)


SCHEDULES = {"constant": constant, "cosine": cosine}
OPTIMIZERS = {"adam": adam, "sgd": sgd}


@cache
def _adam() -> "type[keras.optimizers.Adam]":
    """The class of Keras' Adam, with one kernel for the step of each variable.

    Kingma and Ba 2015; epsilon stands where the note before their section 2.1 has it.
    """
    import keras
    import tensorflow as tf

    class Adam(keras.optimizers.Adam):  # type: ignore[misc]
        def update_step(self, gradient: tf.Tensor, variable: keras.Variable, learning_rate: tf.Tensor) -> None:
            i = self._get_variable_index(variable)
            step = tf.cast(self.iterations.value + 1, tf.float32)
            tf.raw_ops.ResourceApplyAdam(
                var=variable.handle,
                m=self._momentums[i].handle,
                v=self._velocities[i].handle,
                beta1_power=tf.pow(self.beta_1, step),
                beta2_power=tf.pow(self.beta_2, step),
                lr=tf.cast(learning_rate, tf.float32),
                beta1=self.beta_1,
                beta2=self.beta_2,
                epsilon=self.epsilon,
                grad=tf.convert_to_tensor(gradient),
            )

    return Adam
