"""Keras' convolution and max pooling as XLA computes them well on a CPU: the same layers and formulas.

XLA has no fast gradient of a convolution on a CPU. As one matrix product of each position's surroundings (its patch)
and the kernel (Chellapilla et al. 2006, "High Performance Convolutional Neural Networks for Document Processing") it
has one, and fuses what stands around it. Patches take the kernel's size times the memory, so only where that is little.
Kernels of 3x3 with enough channels go by Winograd's way, which multiplies less.

Shapes: B rows, *S positions (one or two axes), C channels, F filters, K places under the kernel.
"""

import functools
import itertools
import math
from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from pipeline.model.xla import winograd

Tensor = Any

# several times what was measured to pay (docs/performance.md: 4 MB); patches that go to memory and back gain nothing
MOST_PATCH_BYTES = 2**24
# Winograd's way pays with many channels, and where patches no longer fit into a cache with few; with fewer yet its
# additions cost more than the multiplications that it saves. More bytes than these in its products were not measured
MANY_CHANNELS, CACHED_BYTES, FEW_CHANNELS = 32, 2**22, 16
MOST_PRODUCT_BYTES = 2**27


def speed_up(layer: keras.layers.Layer) -> None:
    """Let a convolution or max pooling compute by the fast path; all else stays as it is.

    The layer's class, configuration and weights do not change, hence neither does the file it is saved to.
    """
    usual = layer.call
    if type(layer) in (keras.layers.Conv1D, keras.layers.Conv2D) and _is_plain(layer):

        def convolve(x: Tensor) -> Tensor:
            way = _way(layer, x.shape)
            return usual(x) if way is None else _convolve(layer, x, way)

        layer.call = convolve
    elif type(layer) in (keras.layers.MaxPooling1D, keras.layers.MaxPooling2D) and _tiles(layer):
        layer.call = lambda x: _pool(layer, x)


def suits(core: keras.Model, batch_size: int) -> bool:
    """Whether every convolution of `core` takes the fast path on a batch of so many rows."""
    layers = [layer for layer in core.layers if isinstance(layer, keras.layers.Conv1D | keras.layers.Conv2D)]
    return all(_way(layer, (batch_size, *layer.input.shape[1:])) is not None for layer in layers)


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
    # `same` in TensorFlow: of an even kernel's surroundings, the larger part comes after
    padded = tf.pad(x_BSC, [[0, 0], *([(k - 1) // 2, k // 2] for k in shape), [0, 0]])
    shifts = itertools.product(*map(range, shape))
    windows = [[slice(first, first + size) for first, size in zip(shift, sizes, strict=True)] for shift in shifts]
    patches = tf.concat([padded[(slice(None), *window)] for window in windows], -1)  # (B, *S, K C)
    y = _product(tf.reshape(patches, [-1, patches.shape[-1]]), tf.reshape(kernel, [-1, filters]))
    return tf.reshape(y, [-1, *sizes, filters])


def _product(x_NK: Tensor, kernel_KF: Tensor) -> Tensor:
    """(N, F). The kernel's gradient is x' dy, and XLA's product with a transposed left matrix takes longer, the more
    columns that matrix has: where x has more than dy, it is dy' x, transposed by a product with an identity."""
    columns, filters = kernel_KF.shape
    if columns <= filters:
        return x_NK @ kernel_KF

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def run(x_NK: Tensor, kernel_KF: Tensor) -> Any:
        def gradient(dy_NF: Tensor) -> Any:
            dkernel_FK = tf.matmul(dy_NF, x_NK, transpose_a=True)
            dkernel_KF = tf.matmul(dkernel_FK, tf.eye(filters, dtype=dy_NF.dtype), transpose_a=True)
            return tf.matmul(dy_NF, kernel_KF, transpose_b=True), dkernel_KF

        return x_NK @ kernel_KF, gradient

    return run(x_NK, kernel_KF)


def _tiles(layer: Any) -> bool:
    tiles = layer.pool_size == layer.strides and layer.padding == "valid"
    return bool(tiles and layer.data_format == "channels_last")


def _pool(layer: Any, x_BSC: Tensor) -> Tensor:
    """The maximum of each tile. Of equal maxima, each gets an equal share of the gradient, where TensorFlow's kernel
    gives all to the first: another subgradient of the same function. Behind a ReLU most equal maxima are zeros, which
    no gradient passes."""
    sizes = [(size // pool, pool) for size, pool in zip(x_BSC.shape[1:-1], layer.pool_size, strict=True)]
    whole = x_BSC[(slice(None), *(slice(0, count * pool) for count, pool in sizes))]
    # B, then for each axis the tiles and the places in a tile, then C
    apart = [-1, *itertools.chain(*sizes), whole.shape[-1]]
    one_a_tile = [-1, *itertools.chain(*((count, 1) for count, _ in sizes)), whole.shape[-1]]
    offsets = itertools.product(*(range(pool) for _, pool in sizes))
    windows = [(slice(None), *itertools.chain(*((slice(None), at) for at in offset))) for offset in offsets]

    # tf.reduce_max is the same; but XLA makes no vector code of it, and computes what stands behind its gradient, here
    # of a convolution, anew for each place of a tile. The division keeps it apart
    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def largest_of_tiles(whole: Tensor) -> Any:
        tiles = tf.reshape(whole, apart)
        places = [tiles[window] for window in windows]
        largest = functools.reduce(tf.maximum, places)

        def gradient(dy_BSC: Tensor) -> Tensor:
            count = functools.reduce(tf.add, [tf.cast(place == largest, dy_BSC.dtype) for place in places])
            share, reached = (tf.reshape(x, one_a_tile) for x in (dy_BSC / count, largest))
            return tf.reshape(tf.where(tiles == reached, share, tf.zeros([], share.dtype)), tf.shape(whole))

        return largest, gradient

    return largest_of_tiles(whole)
