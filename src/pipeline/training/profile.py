"""What TensorFlow does while it trains, recorded for TensorBoard."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path


@contextmanager
def profiled(wanted: bool, folder: Path) -> Iterator[None]:
    """Record a trace of the body in `folder`/plugins/profile, if that is wanted.

    TensorBoard needs a plugin, which is a package of its own, to show it.
    """
    if not wanted:
        yield
        return
    import tensorflow as tf

    tf.profiler.experimental.start(str(folder))
    try:
        yield
    finally:
        tf.profiler.experimental.stop()
        seen = "" if find_spec("tensorboard_plugin_profile") else " (to see it: pip install tensorboard-plugin-profile)"
        print(f"profile in {folder}{seen}")
