"""Keras' batch norm as XLA computes it well on a CPU: the same layer and formulas, its gradient written out.

Ioffe and Szegedy 2015, "Batch Normalization", section 3.1. Shapes: N rows and positions together, C channels.
"""

import keras
import tensorflow as tf
from tensorflow import Tensor

from pipeline.model.xla.arrays import Differentiable
from pipeline.model.xla.means import mean_of_rows


def speed_up(layer: keras.Layer) -> None:
    """Let batch norm over the last axis train by the fast path; all else stays as it is.

    The layer's class, configuration and weights do not change, hence neither does the file it is saved to.
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
        # not rsqrt, nor 1 / sqrt, which XLA makes that: makers of processors differ in its last bits
        scale = tf.sqrt(1 / (variance + epsilon))
        hat_NC = (x_NC - mean) * scale

        def gradient(dy_NC: Tensor, *_: Tensor) -> tuple[Tensor, Tensor, Tensor]:
            # beta's gradient is the sum of dy, gamma's that of dy hat; dx takes both as means
            mean_dy, mean_dy_hat = mean_of_rows(dy_NC), mean_of_rows(dy_NC * hat_NC)
            # divided by 1 / scale, not times scale: XLA keeps the result of a division in memory, and computes anew,
            # in every kernel that reads it, what it takes for cheap
            dx_NC = (dy_NC - mean_dy - hat_NC * mean_dy_hat) * gamma_C / ((variance + epsilon) * scale)
            rows = x_NC.shape[0]
            return dx_NC, mean_dy_hat * rows, mean_dy * rows

        return (hat_NC * gamma_C + beta_C, mean, variance), gradient

    found: tuple[Tensor, Tensor, Tensor] = normalise(x_NC, gamma_C, beta_C)
    return found
