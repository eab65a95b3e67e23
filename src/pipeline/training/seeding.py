"""Randomness inside the model (dropout) as a pure function of (seed, epoch, step)."""

from typing import Any

import numpy as np

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


def reseed(core: Any, seed: int, epoch: int) -> None:
    """Set the model's seed generators to their state at the start of `epoch` (from 0)."""
    for i, seeds in enumerate(seed_generators(core)):
        state = generator(seed, epoch, DROPOUT_STREAM, i).integers(0, 2**31, size=2)
        seeds.state.assign(np.asarray(state, seeds.state.dtype))
