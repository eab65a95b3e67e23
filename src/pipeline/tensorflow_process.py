"""Makes a process ready for TensorFlow, with fixed threads, a fixed instruction set and fixed seeds."""

import gc
import os
import sys

from pipeline.config import TensorFlowConfig
from pipeline.errors import ConfigError
from pipeline.tensorflow_import import import_quietly

# By oneDNN's name of an instruction set: XLA's name, and the flag of a processor that has it.
INSTRUCTION_SETS = {
    "sse41": ("SSE4_2", "sse4_1"),
    "avx": ("AVX", "avx"),
    "avx2": ("AVX2", "avx2"),
    "avx512_core": ("AVX512", "avx512f"),
}
OWN_XLA_FLAGS = os.environ.get("XLA_FLAGS", "")

_loaded_with: list[str] = []  # the instruction set of this process, once TensorFlow is imported


def instructions_of(config: TensorFlowConfig) -> str:
    """The instruction set that was chosen, or the one that `auto` stands for.

    TensorFlow picks kernels for bfloat16 by what the processor has (AVX512_BF16, AMX) and ends with an error, or
    aborts, where oneDNN may not use it.
    """
    if config.instruction_set != "auto":
        return config.instruction_set
    return "avx2" if config.precision == "float32" else "native"


def load_tensorflow(config: TensorFlowConfig) -> None:
    """Set what must be set before TensorFlow is imported, and import it.

    Raises ConfigError where this process has already imported it with another instruction set.
    """
    if _loaded_with and _loaded_with[0] != instructions_of(config):
        if config.instruction_set == "auto":
            raise _once_in_a_process("precision", config.precision, f"{_loaded_with[0]} instructions")
        raise _once_in_a_process("instruction_set", instructions_of(config), _loaded_with[0])
    first = not _loaded_with
    _loaded_with[:] = [instructions_of(config)]
    set_environment(config)
    import_quietly()
    if first:
        # Keras collects garbage at the start of each training. What was imported is none, and looking through it takes
        # most of that time. Later there may be models of earlier trainings, which are to be collected.
        gc.freeze()


def set_environment(config: TensorFlowConfig) -> None:
    """Set the variables that TensorFlow and its libraries read once, when they are imported or first compute."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
    if instructions_of(config) != "native":
        os.environ |= same_bits_elsewhere(instructions_of(config))
    elif config.precision != "float32":
        # A cap that was set outside would abort the training; `instructions_of` says why.
        os.environ.pop("ONEDNN_MAX_CPU_ISA", None)


def same_bits_elsewhere(instruction_set: str) -> dict[str, str]:
    """The environment in which all processors that have `instruction_set` compute the same bits.

    Without it, TensorFlow and XLA choose kernels by what else a processor can do (docs/reproducibility.md).
    """
    flags = f"--xla_cpu_max_isa={INSTRUCTION_SETS[instruction_set][0]} --xla_cpu_enable_platform_dependent_math=false"
    return {
        "ONEDNN_MAX_CPU_ISA": instruction_set.upper(),
        # Otherwise only processors with VNNI use oneDNN. The others use Eigen's products, whose bits depend on the size
        # of the cache.
        "TF_ENABLE_ONEDNN_OPTS": "1",
        "XLA_FLAGS": f"{OWN_XLA_FLAGS} {flags}".strip(),
    }


def _once_in_a_process(key: str, wanted: object, found: object) -> ConfigError:
    return ConfigError(
        f"trainer.{key}: found {wanted}, but this process has computed with {found}, and TensorFlow sets that once. "
        f"Run the jobs with another trainer.{key} by a command of their own."
    )


def start_session(config: TensorFlowConfig, seed: int) -> str:
    """Start a new Keras session, and return its device: `cpu`, or the name of the GPU.

    What it computes depends on `config`, `seed` and the kind of device alone, and not on how many cores the machine
    has.
    """
    import keras
    import tensorflow as tf

    keras.backend.clear_session()
    if (threads := tf.config.threading.get_intra_op_parallelism_threads()) != config.threads:
        try:
            tf.config.threading.set_intra_op_parallelism_threads(config.threads)
            tf.config.threading.set_inter_op_parallelism_threads(config.threads)
        except RuntimeError as error:
            raise _once_in_a_process("threads", config.threads, threads) from error
    device = _choose_device(config.device)
    tf.config.experimental.enable_op_determinism()
    keras.utils.set_random_seed(seed)
    return device


def _choose_device(wanted: str) -> str:
    """Let TensorFlow see only what `trainer.device` allows; return `cpu`, or the name of the GPU."""
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    if wanted == "cpu":
        if tf.config.get_visible_devices("GPU"):
            try:
                tf.config.set_visible_devices([], "GPU")
            except RuntimeError as error:
                raise _once_in_a_process("device", wanted, "a GPU") from error
        return "cpu"
    if not gpus:
        if wanted == "gpu":
            print("trainer.device is gpu, but TensorFlow finds none; going on with the CPU", file=sys.stderr)
        return "cpu"
    for gpu in gpus:
        # Without memory growth, TensorFlow takes all memory of a GPU at once and leaves none for other processes.
        if not tf.config.experimental.get_memory_growth(gpu):
            tf.config.experimental.set_memory_growth(gpu, True)
    return str(tf.config.experimental.get_device_details(gpus[0]).get("device_name", "gpu"))


def on_gpu() -> bool:
    """Whether this session computes on a GPU."""
    import tensorflow as tf

    return bool(tf.config.get_visible_devices("GPU"))
