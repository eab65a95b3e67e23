"""A convolution of 3x3 by Winograd's minimal filtering F(2x2, 3x3): 16 multiplications where the definition has 36.

Lavin and Gray 2016, "Fast Algorithms for Convolutional Neural Networks", section 4.1. Each tile of 2x2 outputs comes
from 4x4 inputs: with the matrices below, Y = A' [(G g G') (B' d B)] A, where the product in the middle, taken place by
place, is over channels a product of matrices. The factors are 0, 1, -1 and 1/2, so the rounding is of
the same order as that of the definition.

Shapes: B rows, H W positions, I J tiles on each axis (half as many, rounded up), N = B I J, C channels, F filters.
"""

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from pipeline.model.xla.arrays import flat, neighbours, transposed, zero_after

Tensor = Any
Matrix = Sequence[Sequence[float]]
Grid = Sequence[Sequence[Tensor]]

OF_INPUT = ((1, 0, -1, 0), (0, 1, 1, 0), (0, -1, 1, 0), (0, 1, 0, -1))
OF_KERNEL = ((1, 0, 0), (0.5, 0.5, 0.5), (0.5, -0.5, 0.5), (0, 0, 1))
OF_OUTPUT = ((1, 1, 1, 0), (0, 1, -1, -1))


def tiles_of(height: int, width: int) -> tuple[int, int]:
    """How many tiles there are along each axis."""
    return -(-height // 2), -(-width // 2)


def convolve(x_BHWC: Tensor, kernel: Tensor) -> Tensor:
    """(B, H, W, C) and (3, 3, C, F) to (B, H, W, F), padded as `same` does."""
    _, height, width, _ = x_BHWC.shape
    tiles = tiles_of(height, width)

    # TensorFlow's own gradient has the same products, but XLA lets them wait for one another
    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def run(x_BHWC: Tensor, kernel: Tensor) -> Any:
        inputs = _each(flat, _both_axes(OF_INPUT, _surroundings(x_BHWC, *tiles)))
        kernels = _both_axes(OF_KERNEL, [tf.unstack(row) for row in tf.unstack(kernel)])
        y = _of_tiles(_both_axes(OF_OUTPUT, _each(lambda x, k: _tiled(x @ k, tiles), inputs, kernels)))

        def gradient(dy_BHWF: Tensor) -> Any:
            dproducts = _each(flat, _both_axes(_turned(OF_OUTPUT), _places_of_tiles(dy_BHWF, *tiles)))
            dinputs = _each(lambda d, k: _tiled(tf.matmul(d, k, transpose_b=True), tiles), dproducts, kernels)
            dx = _of_surroundings(_both_axes(_turned(OF_INPUT), dinputs))[:, :height, :width]
            # XLA would write one product over what the one before has read last, so that each waited for that one:
            # these begin after those of dx, and until then nearly all kernels are in use
            zero = zero_after(*itertools.chain(*dinputs, *kernels))
            dkernels = _each(lambda x, d: transposed(x, zero) @ d, inputs, dproducts)
            return dx, tf.stack([tf.stack(row) for row in _both_axes(_turned(OF_KERNEL), dkernels)])

        return y[:, :height, :width], gradient

    return run(x_BHWC, kernel)


def _each(function: Callable[..., Tensor], *grids: Grid) -> list[list[Tensor]]:
    return [list(map(function, *rows)) for rows in zip(*grids, strict=True)]


def _tiled(x_NC: Tensor, tiles: tuple[int, int]) -> Tensor:
    return tf.reshape(x_NC, [-1, *tiles, x_NC.shape[-1]])


def _turned(matrix: Matrix) -> Matrix:
    return list(zip(*matrix, strict=True))


def _both_axes(matrix: Matrix, values: Grid) -> list[list[Tensor]]:
    """`matrix values matrix'`, for a grid of tensors."""
    columns = [_of_vector(matrix, column) for column in zip(*values, strict=True)]
    return [_of_vector(matrix, row) for row in zip(*columns, strict=True)]


def _of_vector(matrix: Matrix, vector: Sequence[Tensor]) -> list[Tensor]:
    return [_sum_of(row, vector) for row in matrix]


def _sum_of(factors: Sequence[float], values: Sequence[Tensor]) -> Tensor:
    """The scalar product, without a multiplication for factors of 0, 1 and -1."""
    terms = [
        (factor, value if abs(factor) == 1 else abs(factor) * value)
        for factor, value in zip(factors, values, strict=True)
        if factor
    ]
    (sign, first), *rest = sorted(terms, key=lambda term: -term[0])  # one that is added, where there is one
    total = first if sign > 0 else -first
    for sign, scaled in rest:
        total = total + scaled if sign > 0 else total - scaled
    return total


def _surroundings(x_BHWC: Tensor, rows: int, columns: int) -> list[list[Tensor]]:
    """What stands at each of the 4x4 places around a tile: a 4x4 grid of (B, I, J, C)."""
    _, height, width, channels = x_BHWC.shape
    padding = [[0, 0], [1, 2 * rows + 1 - height], [1, 2 * columns + 1 - width], [0, 0]]
    # a tile's surroundings are two neighbouring pairs on each axis
    pairs = tf.reshape(tf.pad(x_BHWC, padding), [-1, rows + 1, 2, columns + 1, 2, channels])

    def at(i: int, j: int) -> Tensor:
        return pairs[:, i // 2 : i // 2 + rows, i % 2, j // 2 : j // 2 + columns, j % 2]

    return [[at(i, j) for j in range(4)] for i in range(4)]


def _of_surroundings(values: Grid) -> Tensor:
    """The gradient of `_surroundings` from those of its grid: (B, 2 I, 2 J, C)."""

    def inner(places: Sequence[Tensor], axis: int) -> list[Tensor]:
        # the outer places of a tile's surroundings are inner ones of its neighbours
        return [places[1] + neighbours(places[3], axis, -1), places[2] + neighbours(places[0], axis, 1)]

    columns = [inner(column, 1) for column in zip(*values, strict=True)]
    return _of_tiles([inner(row, 2) for row in zip(*columns, strict=True)])


def _places_of_tiles(y_BHWC: Tensor, rows: int, columns: int) -> list[list[Tensor]]:
    """What stands at each of the 2x2 places of a tile: a 2x2 grid of (B, I, J, C)."""
    _, height, width, channels = y_BHWC.shape
    whole = tf.pad(y_BHWC, [[0, 0], [0, 2 * rows - height], [0, 2 * columns - width], [0, 0]])
    tiles = tf.reshape(whole, [-1, rows, 2, columns, 2, channels])
    return [[tiles[:, :, i, :, j] for j in range(2)] for i in range(2)]


def _of_tiles(places: Grid) -> Tensor:
    """The 2x2 places of a tile (B, I, J, C) as one image (B, 2 I, 2 J, C)."""
    _, rows, columns, channels = places[0][0].shape
    together = tf.stack([tf.stack(row, 3) for row in places], 2)
    return tf.reshape(together, [-1, 2 * rows, 2 * columns, channels])
