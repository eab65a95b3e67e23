"""Randomness inside the model is a function of (seed, epoch)."""

import keras
import numpy as np

from pipeline.training.seeding import reseed, seed_generators


def test_dropout_depends_on_seed_and_epoch_alone() -> None:
    inputs = keras.Input((8,))
    core = keras.Model(inputs, keras.layers.Dropout(0.5)(keras.layers.Dropout(0.5)(inputs)))
    generators = seed_generators((core,))
    assert len(generators) == 2
    x = np.ones((4, 8), np.float32)

    def drawn(seed: int, epoch: int) -> np.ndarray:
        reseed(generators, seed, epoch)
        return np.asarray(core(x, training=True))

    first = drawn(1, 3)
    assert (drawn(1, 4) != first).any()
    assert (drawn(2, 3) != first).any()
    assert (drawn(1, 3) == first).all()
