"""The process as TensorFlow needs it: fixed threads, fixed instruction set, fixed seeds, a quiet import."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pipeline.config import TensorFlowConfig
from pipeline.errors import ConfigError

# Keras imports these where they are installed, for wrappers, adapters and plots that we do not use: 2 of 5 seconds
NOT_NEEDED = ("sklearn", "pandas", "matplotlib", "jax", "torch")
XLA_NAMES = {"sse41": "SSE4_2", "avx": "AVX", "avx2": "AVX2", "avx512_core": "AVX512"}
OWN_XLA_FLAGS = os.environ.get("XLA_FLAGS", "")

_loaded_with: list[str] = []  # the instruction set of this process, once TensorFlow is there


def load_tensorflow(config: TensorFlowConfig) -> None:
    """Import TensorFlow, with what must be set before that; raises ConfigError where it was set to something else."""
    if _loaded_with and _loaded_with[0] != config.instructions:
        if config.instruction_set == "auto":
            raise _once_in_a_process("precision", config.precision, f"{_loaded_with[0]} instructions")
        raise _once_in_a_process("instruction_set", config.instructions, _loaded_with[0])
    _loaded_with[:] = [config.instructions]
    set_environment(config)
    _import_quietly()


def set_environment(config: TensorFlowConfig) -> None:
    """The variables that TensorFlow and its libraries read once, when they are imported or first compute."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
    if config.instructions != "native":
        os.environ |= same_bits_elsewhere(config.instructions)
    elif config.precision != "float32":
        # a cap from outside would end the training in an abort (TensorFlowConfig.instructions)
        os.environ.pop("ONEDNN_MAX_CPU_ISA", None)


def same_bits_elsewhere(instruction_set: str) -> dict[str, str]:
    """The environment in which processors that have `instruction_set` compute the same bits (docs/reproducibility.md):
    TensorFlow and XLA else choose kernels by what more a processor can do."""
    flags = f"--xla_cpu_max_isa={XLA_NAMES[instruction_set]} --xla_cpu_enable_platform_dependent_math=false"
    return {
        "ONEDNN_MAX_CPU_ISA": instruction_set.upper(),
        # else oneDNN is used by processors with VNNI alone; and Eigen's own products depend on the size of the cache
        "TF_ENABLE_ONEDNN_OPTS": "1",
        "XLA_FLAGS": f"{OWN_XLA_FLAGS} {flags}".strip(),
    }


def _once_in_a_process(key: str, wanted: object, found: object) -> ConfigError:
    return ConfigError(
        f"trainer.{key}: found {wanted}, but this process has computed with {found}, and TensorFlow sets that once. "
        f"Run the jobs with another trainer.{key} by a command of their own."
    )


def _import_quietly() -> None:
    """Import TensorFlow without the lines that its libraries print before their log level is read."""
    sys.stderr.flush()
    terminal = os.dup(2)
    with tempfile.TemporaryFile() as noise:
        os.dup2(noise.fileno(), 2)
        try:
            with _hidden(NOT_NEEDED):
                import tensorflow  # noqa: F401
        except BaseException:
            noise.seek(0)
            os.write(terminal, noise.read())
            raise
        finally:
            os.dup2(terminal, 2)
            os.close(terminal)


@contextmanager
def _hidden(modules: tuple[str, ...]) -> Iterator[None]:
    """Let imports of these modules fail, as if they were not installed."""
    absent = [name for name in modules if name not in sys.modules]
    sys.modules.update(dict.fromkeys(absent))  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]
        returned = {name: OnceImported(name) for name in absent} | {"plt": OnUse()}
        for module in [module for key, module in sys.modules.items() if key.startswith("keras.")]:
            for name, value in returned.items():
                if vars(module).get(name, module) is None:
                    setattr(module, name, value)


class OnceImported:
    """What Keras gets back for a module that it took for absent (`pandas` in its data adapters): the module, once
    somebody has imported it. Until then nobody can hold an object of its classes, of which Keras asks."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        module = sys.modules.get(self._name)
        return type(attribute, (), {}) if module is None else getattr(module, attribute)


class OnUse:
    """What Keras gets back for `plt`, by which it draws: imported when it does."""

    def __getattr__(self, attribute: str) -> Any:
        import matplotlib.pyplot

        return getattr(matplotlib.pyplot, attribute)


def start_session(config: TensorFlowConfig, seed: int) -> str:
    """A fresh Keras session whose bits depend on `config`, `seed` and the kind of device alone, not on the machine's
    number of cores. Returns the device: `cpu` or the GPU's name."""
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
    """Make TensorFlow see what `trainer.device` allows; return `cpu` or the GPU's name."""
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
        # all of a GPU's memory at once would leave none for a neighbour
        if not tf.config.experimental.get_memory_growth(gpu):
            tf.config.experimental.set_memory_growth(gpu, True)
    return str(tf.config.experimental.get_device_details(gpus[0]).get("device_name", "gpu"))


def on_gpu() -> bool:
    """Whether this session computes on a GPU."""
    import tensorflow as tf

    return bool(tf.config.get_visible_devices("GPU"))
