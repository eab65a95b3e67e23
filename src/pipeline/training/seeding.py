"""Randomness inside the model (dropout) as a pure function of (seed, epoch, step)."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.data.order import generator

DROPOUT_STREAM = 1


def seed_generators(core: Any) -> list[Any]:
    """Every seed generator of the model's layers, in the order of its layers."""
    found: list[Any] = []
    for layer in core._flatten_layers():
        seeds = getattr(layer, "seed_generator", None)
        if seeds is not None and seeds not in found:
            found.append(seeds)
    return found


def seed_states(core: Any, seed: int, epoch: int) -> NDArray[np.int64]:
    """The states (G, 2) of the model's G seed generators at the start of `epoch` (from 0)."""
    count = len(seed_generators(core))
    states = [generator(seed, epoch, DROPOUT_STREAM, i).integers(0, 2**31, size=2) for i in range(count)]
    return np.array(states, np.int64).reshape(count, 2)


def reseed(core: Any, seed: int, epoch: int) -> None:
    """Set the model's seed generators to their states at the start of `epoch` (from 0)."""
    for seeds, state in zip(seed_generators(core), seed_states(core, seed, epoch), strict=True):
        seeds.state.assign(state.astype(seeds.state.dtype))
