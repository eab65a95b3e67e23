"""Keras' convolution, written so that XLA computes it well on a CPU; layers and formulas are the same.

XLA has no fast gradient of a convolution on a CPU. It has one of a matrix product, and fuses what stands around it. So
a convolution is written as one product of the surroundings of each position (its patch) and the kernel (Chellapilla et
al. 2006, "High Performance Convolutional Neural Networks for Document Processing"). Patches take as many times the
memory of the inputs as the kernel has places, so this is done only where that is little.

Shapes: B rows, *S positions (one or two axes), C channels, F filters, K places under the kernel.
"""

import math
from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf
from tensorflow import Tensor

from pipeline.model.xla.arrays import Differentiable, flat, neighbours, transposed
from pipeline.model.xla.settings import unusual_setting

# Patches that are larger go to memory and back. training/compilation.py estimates what smaller ones cost.
MOST_PATCH_BYTES = 2**24


def speed_up(layer: keras.Layer) -> None:
    """Let a convolution compute by the fast path; other layers stay as they are.

    The layer's class, configuration and weights do not change, so the file to which it is saved does not change either.
    """
    usual = layer.call
    if type(layer) in (keras.layers.Conv1D, keras.layers.Conv2D) and not _unusual(layer):

        def convolve(x: Tensor) -> Tensor:
            return _convolve(layer, x) if patch_bytes(layer, x.shape) <= MOST_PATCH_BYTES else usual(x)

        layer.call = convolve


def why_slow(layer: keras.Layer, batch_size: int) -> str | None:
    """What keeps a convolution from the fast path on a batch of so many rows, or None."""
    found = patch_bytes(layer, (batch_size, *layer.input.shape[1:]))
    if not _unusual(layer) and found > MOST_PATCH_BYTES:
        return f"needs {found / 2**20:.1f} MiB for the patches of a batch, more than {MOST_PATCH_BYTES / 2**20:.1f}"
    return _unusual(layer)


def _unusual(layer: keras.Layer) -> str | None:
    """The setting of a convolution that the fast path does not know, or None."""
    ones = (1,) * layer.rank
    usual = {"padding": "same", "strides": ones, "dilation_rate": ones, "groups": 1, "data_format": "channels_last"}
    return unusual_setting(layer, usual)


def patch_bytes(layer: keras.Layer, shape: Sequence[int | None]) -> int:
    """How much memory the patches of inputs of this shape (B, *S, C) take."""
    numbers: int = math.prod(size or 1 for size in shape) * math.prod(layer.kernel_size)
    return 4 * numbers


def _convolve(layer: keras.Layer, x_BSC: Tensor) -> Tensor:
    y = _by_patches(x_BSC, tf.cast(layer.kernel.value, x_BSC.dtype))
    if layer.bias is not None:
        y = tf.nn.bias_add(y, tf.cast(layer.bias.value, y.dtype))
    return layer.activation(y)


def _by_patches(x_BSC: Tensor, kernel: Tensor) -> Tensor:
    *shape, _, filters = kernel.shape
    sizes = x_BSC.shape[1:-1]

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def run(x_BSC: Tensor, kernel: Tensor) -> Differentiable:
        patches_NK = flat(_patches(x_BSC, shape))
        kernel_KF = tf.reshape(kernel, [-1, filters])

        def gradient(dy_BSF: Tensor) -> tuple[Tensor, Tensor]:
            dy_NF = flat(dy_BSF)
            dkernel = tf.reshape(_kernel_gradient(patches_NK, dy_NF), kernel.shape)
            return _input_gradient(dy_NF, kernel_KF, sizes, shape), dkernel

        y_NF = patches_NK @ kernel_KF
        return tf.reshape(y_NF, [-1, *sizes, filters]), gradient

    return run(x_BSC, kernel)


def _patches(x_BSC: Tensor, shape: Sequence[int]) -> Tensor:
    """What stands under a kernel of this shape at each position (B, *S, K C), with zeros beyond the edge."""
    # Going axis by axis, there are half as many pieces to copy, and they are longer.
    for axis in reversed(range(len(shape))):
        # TensorFlow's padding `same` puts the larger part of an even kernel's surroundings after the position.
        before = (shape[axis] - 1) // 2
        x_BSC = tf.concat([neighbours(x_BSC, axis + 1, at - before) for at in range(shape[axis])], -1)
    return x_BSC


def _kernel_gradient(x_NK: Tensor, dy_NF: Tensor) -> Tensor:
    """x' dy (K, F). Where dy is narrower than x, this computes dy' x and transposes it, because the narrower of the two
    is cheaper to transpose."""
    if x_NK.shape[1] <= dy_NF.shape[1]:
        return tf.matmul(x_NK, dy_NF, transpose_a=True)
    return transposed(tf.matmul(dy_NF, x_NK, transpose_a=True))


def _input_gradient(dy_NF: Tensor, kernel_KF: Tensor, sizes: Sequence[int], shape: Sequence[int]) -> Tensor:
    """The gradient of the inputs (B, *S, C): each position's sum over the patches that it stands in.

    With all positions in one row, those patches stand at fixed distances, and what is beyond the edge is masked out.
    XLA makes vector code of that, but not of sums of padded arrays.
    """
    strides = [math.prod(sizes[axis + 1 :]) for axis in range(len(sizes))]
    positions = np.stack(np.unravel_index(np.arange(math.prod(sizes)), sizes), -1)
    moves = np.array([[(k - 1) // 2 - at for k, at in zip(shape, place, strict=True)] for place in np.ndindex(*shape)])
    distances = moves @ strides
    reach = int(np.abs(distances).max())
    dpatches = tf.matmul(tf.pad(dy_NF, [[reach, reach], [0, 0]]), kernel_KF, transpose_b=True)
    dpatches = tf.reshape(dpatches, [-1, len(moves), kernel_KF.shape[0] // len(moves)])
    parts = []
    for place, (move, distance) in enumerate(zip(moves, distances.tolist(), strict=True)):
        moved = dpatches[reach + distance : distance - reach or None, place]
        moved = tf.reshape(moved, [-1, len(positions), moved.shape[-1]])
        inside = ((positions + move >= 0) & (positions + move < sizes)).all(-1)
        parts.append(tf.where(inside[:, np.newaxis], moved, tf.zeros([], moved.dtype)))
    return tf.reshape(tf.add_n(parts), [-1, *sizes, dpatches.shape[-1]])
