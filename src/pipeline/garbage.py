"""Python's garbage collector, as a process wants it that imports much and lives for seconds."""

import gc


def collect_seldom() -> None:
    """Let Python look for garbage less often: by default it does so hundreds of times while it imports TensorFlow or
    MLflow, finds nothing, and takes a fifth of the time."""
    gc.set_threshold(50_000, 20, 20)
