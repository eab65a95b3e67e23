"""Randomness inside the model (dropout, augmentation) as a pure function of (seed, epoch, step)."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pipeline.data.order import generator

if TYPE_CHECKING:
    import keras

DROPOUT_STREAM = 1


def seed_generators(models: "tuple[keras.Model, ...]") -> "list[keras.random.SeedGenerator]":
    """All seed generators of the models' layers, in the order of the layers."""
    found: list[keras.random.SeedGenerator] = []
    for model in models:
        for layer in model._flatten_layers():
            seeds = getattr(layer, "seed_generator", None) or getattr(layer, "generator", None)
            if seeds is not None and seeds not in found:
                found.append(seeds)
    return found


def seed_states(generators: "list[keras.random.SeedGenerator]", seed: int, epoch: int) -> NDArray[np.int64]:
    """The states (G, 2) of G seed generators at the start of `epoch` (from 0)."""
    count = len(generators)
    states = [generator(seed, epoch, DROPOUT_STREAM, i).integers(0, 2**31, size=2) for i in range(count)]
    return np.array(states, np.int64).reshape(count, 2)


def reseed(generators: "list[keras.random.SeedGenerator]", seed: int, epoch: int) -> None:
    """Set the seed generators to their states at the start of `epoch` (from 0)."""
    for seeds, state in zip(generators, seed_states(generators, seed, epoch), strict=True):
        seeds.state.assign(state.astype(seeds.state.dtype))
