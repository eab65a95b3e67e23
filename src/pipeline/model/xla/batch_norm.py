"""Keras' batch norm, written so that XLA computes it well on a CPU: the formulas are the same, the gradient is written
out.

Ioffe and Szegedy 2015, "Batch Normalization", section 3.1. Shapes: N rows and positions together, C channels.
"""

import keras
import tensorflow as tf
from tensorflow import Tensor

from pipeline.model.xla.arrays import Differentiable
from pipeline.model.xla.means import mean_of_rows


def speed_up(layer: keras.Layer) -> None:
    """Let batch norm over the last axis train by the fast path; other layers stay as they are.

    The layer's class, configuration and weights do not change, so the file to which it is saved does not change either.
    """
    if type(layer) is not keras.layers.BatchNormalization or not _is_plain(layer):
        return
    usual = layer.call

    def call(inputs: Tensor, training: bool | None = None, mask: Tensor | None = None) -> Tensor:
        if not training or not layer.trainable or mask is not None or None in inputs.shape:
            return usual(inputs, training=training, mask=mask)
        x_NC = tf.reshape(tf.cast(inputs, tf.float32), [-1, inputs.shape[-1]])
        y_NC, mean, variance = _normalise(x_NC, layer.gamma.value, layer.beta.value, layer.epsilon)
        for moving, found in ((layer.moving_mean, mean), (layer.moving_variance, variance)):
            moving.assign(moving.value * layer.momentum + found * (1 - layer.momentum))
        return tf.cast(tf.reshape(y_NC, inputs.shape), layer.compute_dtype)

    layer.call = call


def _is_plain(layer: keras.Layer) -> bool:
    return bool(layer.axis == -1 and layer.scale and layer.center and not layer.renorm and not layer.synchronized)


def _normalise(x_NC: Tensor, gamma_C: Tensor, beta_C: Tensor, epsilon: float) -> tuple[Tensor, Tensor, Tensor]:
    """The normalised rows, and the mean and variance of each channel, through which no gradient goes."""

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def normalise(x_NC: Tensor, gamma_C: Tensor, beta_C: Tensor) -> Differentiable:
        mean = mean_of_rows(x_NC)
        variance = mean_of_rows(tf.square(x_NC - mean))
        # This is not written as rsqrt, nor as 1 / sqrt, which XLA turns into rsqrt: processors of different makers give
        # other last bits for that.
        scale = tf.sqrt(1 / (variance + epsilon))
        hat_NC = (x_NC - mean) * scale

        def gradient(dy_NC: Tensor, *_: Tensor) -> tuple[Tensor, Tensor, Tensor]:
            # The gradient of beta is the sum of dy, and that of gamma the sum of dy * hat. dx needs both as means.
            mean_dy, mean_dy_hat = mean_of_rows(dy_NC), mean_of_rows(dy_NC * hat_NC)
            # This divides by 1 / scale, which is (variance + epsilon) * scale, and does not multiply by scale. XLA
            # keeps the result of a division in memory, but what it takes for cheap it computes anew in every kernel
            # that reads it.
            dx_NC = (dy_NC - mean_dy - hat_NC * mean_dy_hat) * gamma_C / ((variance + epsilon) * scale)
            rows = x_NC.shape[0]
            return dx_NC, mean_dy_hat * rows, mean_dy * rows

        return (hat_NC * gamma_C + beta_C, mean, variance), gradient

    found: tuple[Tensor, Tensor, Tensor] = normalise(x_NC, gamma_C, beta_C)
    return found
