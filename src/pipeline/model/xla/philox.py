"""TensorFlow's random numbers, computed in integer operations, so that their bits are the same with XLA and without.

`tf.random.stateless_uniform` runs Philox4x32-10 (Salmon et al. 2011, "Parallel Random Numbers: As Easy as 1, 2, 3"),
but XLA replaces it by another generator. Here the generator is written out, so XLA has nothing to replace.

A block of four 32-bit words is kept as two 64-bit ones: a = (word 0, word 1) and b = (word 2, word 3), the first of
each pair in the upper half. Then a product of 32-bit numbers, of which Philox takes both halves, is one multiplication.
"""

import tensorflow as tf
from tensorflow import Tensor
from tensorflow.bitwise import bitwise_and, bitwise_or, bitwise_xor, left_shift, right_shift

MULTIPLIERS, WEYL, ROUNDS = (0xD2511F53, 0xCD9E8D57), (0x9E3779B9, 0xBB67AE85), 10
# the key with which TensorFlow scrambles a seed (StatelessRandomGetKeyCounter)
SCRAMBLING_KEY = (0x3EC8F720, 0x02461E29)


def _uint64(value: int) -> Tensor:
    return tf.constant(value, tf.uint64)


def philox(a: Tensor, b: Tensor, key: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    """The random words for counters (a, b), which may have any shape, and a key of two 32-bit numbers; all are
    uint64."""
    half = _uint64(32)
    # The keys are scalars of their own. XLA's loop took half as long again when it read them from an array.
    for i in range(ROUNDS):
        # The sum of the key is modulo 2^32. The shift to the left drops its carry.
        key_0, key_1 = (left_shift(k + _uint64(i * step), half) for k, step in zip(key, WEYL, strict=True))
        product_0, product_1 = (
            _uint64(factor) * right_shift(x, half) for factor, x in zip(MULTIPLIERS, (a, b), strict=True)
        )
        a, b = (
            bitwise_xor(product_1, bitwise_xor(left_shift(a, half), key_0)),
            bitwise_xor(product_0, bitwise_xor(left_shift(b, half), key_1)),
        )
    return a, b


def random_words(count: int, seed: Tensor) -> Tensor:
    """The first `count` random 32-bit words, as uint64, that TensorFlow draws from `seed`, which is two int32
    numbers."""
    half, lower = _uint64(32), _uint64(2**32 - 1)
    seed = tf.cast(tf.cast(seed, tf.int64), tf.uint64)
    swapped = bitwise_or(left_shift(seed, half), right_shift(seed, half))
    mixed, upper_counter = philox(swapped[0], swapped[1], tuple(map(_uint64, SCRAMBLING_KEY)))
    key = right_shift(mixed, half), bitwise_and(mixed, lower)
    # Each number computes its whole block and takes one word of it. XLA turns that into one vectorised loop. It took 20
    # times as long when tf.stack put the words of a block side by side.
    number = tf.range(count)
    block, word = tf.cast(number // 4, tf.uint64), number % 4
    a, b = philox(left_shift(block, half), tf.zeros_like(block) + upper_counter, key)
    pair = tf.where(word < 2, a, b)
    return tf.where(word % 2 == 0, right_shift(pair, half), bitwise_and(pair, lower))
