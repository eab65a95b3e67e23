"""A convolution of 3x3 by Winograd's minimal filtering F(2x2, 3x3): 16 multiplications where the definition has 36.

Lavin and Gray 2016, "Fast Algorithms for Convolutional Neural Networks", section 4.1. Each tile of 2x2 outputs comes
from 4x4 inputs: with the matrices below, Y = A' [(G g G') (B' d B)] A, where the product in the middle, taken place by
place, is over channels a product of matrices. The factors are 0, 1, -1 and 1/2, so the rounding is of
the same order as that of the definition.

Shapes: B rows, H W positions, I J tiles on each axis (half as many, rounded up), C channels, F filters.
"""

import itertools
from collections.abc import Sequence
from typing import Any

import tensorflow as tf

Tensor = Any
Grid = Sequence[Sequence[Tensor]]

OF_INPUT = ((1, 0, -1, 0), (0, 1, 1, 0), (0, -1, 1, 0), (0, 1, 0, -1))
OF_KERNEL = ((1, 0, 0), (0.5, 0.5, 0.5), (0.5, -0.5, 0.5), (0, 0, 1))
OF_OUTPUT = ((1, 1, 1, 0), (0, 1, -1, -1))
PLACES = list(itertools.product(range(4), repeat=2))


def tiles_of(height: int, width: int) -> tuple[int, int]:
    """How many tiles there are along each axis."""
    return -(-height // 2), -(-width // 2)


def convolve(x_BHWC: Tensor, kernel: Tensor) -> Tensor:
    """(B, H, W, C) and (3, 3, C, F) to (B, H, W, F), padded as `same` does."""
    _, height, width, channels = x_BHWC.shape
    filters = kernel.shape[-1]
    tiles = tiles_of(height, width)

    def product(x_BIJC: Tensor, kernel_CF: Tensor) -> Tensor:
        return tf.reshape(tf.reshape(x_BIJC, [-1, channels]) @ kernel_CF, [-1, *tiles, filters])

    inputs = _both_axes(OF_INPUT, _surroundings(x_BHWC, *tiles))
    kernels = _both_axes(OF_KERNEL, [tf.unstack(row) for row in tf.unstack(kernel)])
    products = [list(map(product, *rows)) for rows in zip(inputs, kernels, strict=True)]
    return _interleaved(_both_axes(OF_OUTPUT, products))[:, :height, :width]


def _both_axes(matrix: Sequence[Sequence[float]], values: Grid) -> list[list[Tensor]]:
    """`matrix values matrix'`, for a grid of tensors."""
    columns = [_of_vector(matrix, column) for column in zip(*values, strict=True)]
    return [_of_vector(matrix, row) for row in zip(*columns, strict=True)]


def _of_vector(matrix: Sequence[Sequence[float]], vector: Sequence[Tensor]) -> list[Tensor]:
    return [_sum_of(row, vector) for row in matrix]


def _sum_of(factors: Sequence[float], values: Sequence[Tensor]) -> Tensor:
    """The scalar product, without a multiplication for factors of 0, 1 and -1."""
    terms = [(factor, value) for factor, value in zip(factors, values, strict=True) if factor]
    first, *rest = sorted(terms, key=lambda term: -term[0])  # one that is added; each matrix' row has one
    total = first[1] if first[0] == 1 else first[0] * first[1]
    for factor, value in rest:
        scaled = value if abs(factor) == 1 else abs(factor) * value
        total = total + scaled if factor > 0 else total - scaled
    return total


def _surroundings(x_BHWC: Tensor, rows: int, columns: int) -> list[list[Tensor]]:
    """What stands at each of the 4x4 places around a tile: a 4x4 grid of (B, I, J, C)."""
    _, height, width, channels = x_BHWC.shape

    # the gradient that TensorFlow has for slices makes an array of the whole size for each of the 16
    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def take(x_BHWC: Tensor) -> Any:
        padding = [[0, 0], [1, 2 * rows + 1 - height], [1, 2 * columns + 1 - width], [0, 0]]
        # a tile's surroundings are two neighbouring pairs on each axis
        pairs = tf.reshape(tf.pad(x_BHWC, padding), [-1, rows + 1, 2, columns + 1, 2, channels])
        found = [pairs[:, i // 2 : i // 2 + rows, i % 2, j // 2 : j // 2 + columns, j % 2] for i, j in PLACES]

        def gradient(*dy_BIJC: Tensor) -> Tensor:
            of = dict(zip(PLACES, dy_BIJC, strict=True))

            def total(i: int, j: int) -> Tensor:
                halves = itertools.product(range(2), repeat=2)
                return tf.add_n(
                    [tf.pad(of[2 * a + i, 2 * b + j], [[0, 0], [a, 1 - a], [b, 1 - b], [0, 0]]) for a, b in halves]
                )

            pairs = _interleaved([[total(i, j) for j in range(2)] for i in range(2)])
            return pairs[:, 1 : 1 + height, 1 : 1 + width]

        return found, gradient

    found = take(x_BHWC)
    return [found[i : i + 4] for i in range(0, 16, 4)]


def _interleaved(tiles: Grid) -> Tensor:
    """The four places of a tile (B, I, J, C) as one image (B, 2 I, 2 J, C)."""
    _, rows, columns, channels = tiles[0][0].shape
    together = tf.stack([tf.stack(row, 3) for row in tiles], 2)
    return tf.reshape(together, [-1, 2 * rows, 2 * columns, channels])
