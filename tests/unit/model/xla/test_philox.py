"""Philox in integer operations: published vectors, and the numbers that TensorFlow draws."""

import pytest
import tensorflow as tf

from pipeline.model.xla.philox import philox, random_words

# Philox4x32-10 in kat_vectors of Random123 (Salmon et al. 2011): counter, key, result
KNOWN_ANSWERS = [
    ("00000000 00000000 00000000 00000000", "00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1"),
]


@pytest.mark.parametrize(("counter", "key", "expected"), KNOWN_ANSWERS)
def test_published_vectors(counter: str, key: str, expected: str) -> None:
    words = counter.split()
    a, b = (tf.constant(int(words[i] + words[i + 1], 16), tf.uint64) for i in (0, 2))
    found = philox(a, b, tuple(tf.constant(int(word, 16), tf.uint64) for word in key.split()))
    assert " ".join(f"{int(pair) >> 32:08x} {int(pair) & 0xFFFFFFFF:08x}" for pair in found) == expected


@pytest.mark.parametrize("count", [1, 4, 4099])
@pytest.mark.parametrize("seed", [(0, 0), (1, 2), (2**31 - 3, 123456789)], ids=str)
def test_the_words_are_tensorflows(count: int, seed: tuple[int, int]) -> None:
    state = tf.constant(seed, tf.int32)
    whole = {"minval": None, "maxval": None, "dtype": tf.uint32}
    expected = tf.random.stateless_uniform([count], state, alg="philox", **whole).numpy()
    assert random_words(count, state).numpy().tolist() == expected.tolist()
