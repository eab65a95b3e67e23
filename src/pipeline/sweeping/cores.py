"""Which cores each worker of this machine computes on."""

import itertools
import os
from contextlib import suppress


def shares(workers: int, threads: int) -> list[frozenset[int]]:
    """The cores of each worker: an even share of those that this process may use.

    They are empty, so that the workers share all cores, where a share would be smaller than the `threads` that a worker
    computes with, and where the system cannot hold a process to cores. No share changes bits (docs/sweep_workers.md).
    """
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    if len(cores) // workers < threads:
        return [frozenset()] * workers
    ends = [number * len(cores) // workers for number in range(workers + 1)]
    return [frozenset(cores[start:end]) for start, end in itertools.pairwise(ends)]


def hold_to(cores: frozenset[int], process: int) -> None:
    """Hold a process that has begun to these cores, and what it starts from now on."""
    if cores:
        with suppress(ProcessLookupError):  # it has ended already
            os.sched_setaffinity(process, cores)
