"""The process as a training needs it: fixed threads, fixed instruction set, fixed seeds, quiet TensorFlow."""

import os
import sys
import tempfile

from pipeline.config import TrainerConfig


def load_tensorflow(config: TrainerConfig) -> None:
    """Import TensorFlow, with what must be set before that."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
    if config.instruction_set != "native":
        os.environ["ONEDNN_MAX_CPU_ISA"] = config.instruction_set.upper()
    _import_quietly()


def _import_quietly() -> None:
    """Import TensorFlow without the lines that its libraries print before their log level is read."""
    sys.stderr.flush()
    terminal = os.dup(2)
    with tempfile.TemporaryFile() as noise:
        os.dup2(noise.fileno(), 2)
        try:
            import tensorflow  # noqa: F401
        except BaseException:
            noise.seek(0)
            os.write(terminal, noise.read())
            raise
        finally:
            os.dup2(terminal, 2)
            os.close(terminal)


def start_session(config: TrainerConfig, seed: int) -> None:
    """A fresh Keras session whose bits depend on `config` and `seed` alone, not on the machine's cores."""
    import keras
    import tensorflow as tf

    keras.backend.clear_session()
    if tf.config.threading.get_intra_op_parallelism_threads() != config.threads:
        tf.config.threading.set_intra_op_parallelism_threads(config.threads)
        tf.config.threading.set_inter_op_parallelism_threads(config.threads)
    tf.config.experimental.enable_op_determinism()
    keras.utils.set_random_seed(seed)


def device() -> str:
    """`cpu` or the name of the GPU that TensorFlow will use."""
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    if not gpus:
        return "cpu"
    return str(tf.config.experimental.get_device_details(gpus[0]).get("device_name", "gpu"))
