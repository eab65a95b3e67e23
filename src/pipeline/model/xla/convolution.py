"""Keras' convolution as XLA computes it well on a CPU: the same layers and formulas.

XLA has no fast gradient of a convolution on a CPU. As one matrix product of each position's surroundings (its patch)
and the kernel (Chellapilla et al. 2006, "High Performance Convolutional Neural Networks for Document Processing") it
has one, and fuses what stands around it. Patches take the kernel's size times the memory, so only where that is little.
Kernels of 3x3 with enough channels go by Winograd's way, which multiplies less.

Shapes: B rows, *S positions (one or two axes), C channels, F filters, K places under the kernel.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from pipeline.model.xla import winograd
from pipeline.model.xla.arrays import flat, neighbours, transposed

Tensor = Any

# several times what was measured to pay (docs/performance.md: 4 MB); patches that go to memory and back gain nothing
MOST_PATCH_BYTES = 2**24
# Winograd's way pays with many channels, and where patches no longer fit into a cache with few; with fewer yet its
# additions cost more than the multiplications that it saves. More bytes than these in its products were not measured
MANY_CHANNELS, CACHED_BYTES, FEW_CHANNELS = 32, 2**22, 16
MOST_PRODUCT_BYTES = 2**27


def speed_up(layer: keras.layers.Layer) -> None:
    """Let a convolution compute by the fast path; all else stays as it is.

    The layer's class, configuration and weights do not change, hence neither does the file it is saved to.
    """
    usual = layer.call
    if type(layer) in (keras.layers.Conv1D, keras.layers.Conv2D) and _is_plain(layer):

        def convolve(x: Tensor) -> Tensor:
            way = _way(layer, x.shape)
            return usual(x) if way is None else _convolve(layer, x, way)

        layer.call = convolve


def suits(core: keras.Model, batch_size: int) -> bool:
    """Whether every convolution of `core` takes the fast path on a batch of so many rows."""
    layers = [layer for layer in core.layers if isinstance(layer, keras.layers.Conv1D | keras.layers.Conv2D)]
    return all(_is_plain(x) and _way(x, (batch_size, *x.input.shape[1:])) is not None for x in layers)


def _is_plain(layer: Any) -> bool:
    ones = set(layer.strides + layer.dilation_rate) == {1}
    return bool(ones and layer.groups == 1 and layer.padding == "same" and layer.data_format == "channels_last")


def _way(layer: Any, shape: Any) -> Callable[[Tensor, Tensor], Tensor] | None:
    """How inputs of this shape (B, *S, C) are convolved with the layer's kernel: a function of both. None where what
    that makes of the inputs takes too much memory."""
    rows, *sizes, channels = (size or 1 for size in shape)
    positions = math.prod(sizes)
    patch_bytes = 4 * rows * positions * channels * math.prod(layer.kernel_size)
    fewest = FEW_CHANNELS if patch_bytes > CACHED_BYTES else MANY_CHANNELS
    wide = channels >= fewest and layer.filters >= FEW_CHANNELS and layer.compute_dtype == "float32"
    if wide and layer.kernel_size == (3, 3):
        places = 16 * math.prod(winograd.tiles_of(*sizes))
        # where tiles hang over the edge of a small image, as much is computed as by definition
        if places <= 6 * positions:
            product_bytes = 4 * rows * places * max(channels, layer.filters)
            return winograd.convolve if product_bytes <= MOST_PRODUCT_BYTES else None
    return _by_patches if patch_bytes <= MOST_PATCH_BYTES else None


def _convolve(layer: Any, x_BSC: Tensor, way: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    y = way(x_BSC, tf.cast(layer.kernel.value, x_BSC.dtype))
    if layer.bias is not None:
        y = tf.nn.bias_add(y, tf.cast(layer.bias.value, y.dtype))
    return layer.activation(y)


def _by_patches(x_BSC: Tensor, kernel: Tensor) -> Tensor:
    *shape, _, filters = kernel.shape
    sizes = x_BSC.shape[1:-1]

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def run(x_BSC: Tensor, kernel: Tensor) -> Any:
        patches_NK = flat(_patches(x_BSC, shape))
        kernel_KF = tf.reshape(kernel, [-1, filters])

        def gradient(dy_BSF: Tensor) -> Any:
            dy_NF = flat(dy_BSF)
            dkernel = tf.reshape(_kernel_gradient(patches_NK, dy_NF), kernel.shape)
            return _input_gradient(dy_NF, kernel_KF, sizes, shape), dkernel

        y_NF = patches_NK @ kernel_KF
        return tf.reshape(y_NF, [-1, *sizes, filters]), gradient

    return run(x_BSC, kernel)


def _patches(x_BSC: Tensor, shape: Sequence[int]) -> Tensor:
    """What stands under a kernel of this shape at each position (B, *S, K C), zeros around the edge."""
    # axis by axis: half the pieces to copy, and longer ones
    for axis in reversed(range(len(shape))):
        # `same` in TensorFlow: of an even kernel's surroundings, the larger part comes after
        before = (shape[axis] - 1) // 2
        x_BSC = tf.concat([neighbours(x_BSC, axis + 1, at - before) for at in range(shape[axis])], -1)
    return x_BSC


def _kernel_gradient(x_NK: Tensor, dy_NF: Tensor) -> Tensor:
    """x' dy (K, F); where dy is narrower than x, it is dy' x, transposed: the narrower one is cheaper to transpose."""
    if x_NK.shape[1] <= dy_NF.shape[1]:
        return tf.matmul(x_NK, dy_NF, transpose_a=True)
    return transposed(tf.matmul(dy_NF, x_NK, transpose_a=True))


def _input_gradient(dy_NF: Tensor, kernel_KF: Tensor, sizes: Sequence[int], shape: Sequence[int]) -> Tensor:
    """The gradient of the inputs (B, *S, C): each position's sum over the patches that it stands in.

    With the positions side by side, those patches stand at fixed distances, and what is beyond the edge is masked out:
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
