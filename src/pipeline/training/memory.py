"""What a training says when it runs out of memory."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager

from pipeline.errors import ConfigError


@contextmanager
def memory_advice(batch_size: int) -> Iterator[None]:
    """Turn an out-of-memory error, TensorFlow's or Python's, into one that names the next batch size to try."""
    import tensorflow as tf

    try:
        yield
    except (tf.errors.ResourceExhaustedError, MemoryError) as error:
        # TensorFlow raises the same error when it is the disk that is full.
        if os.strerror(errno.ENOSPC) in str(error):
            raise
        smaller = f"Try trainer.batch_size={batch_size // 2}" if batch_size > 1 else "Try a smaller model"
        raise ConfigError(
            f"out of memory with trainer.batch_size {batch_size}. {smaller}, or where it is the data that take it, a "
            "smaller trainer.resident_bytes."
        ) from error
