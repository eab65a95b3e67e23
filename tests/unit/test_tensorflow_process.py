"""What a process sets before it imports TensorFlow, so that other processors compute the same bits."""

import json
import re
import subprocess
import sys

import pytest

from pipeline import tensorflow_process
from pipeline.config import TensorFlowConfig
from pipeline.errors import ConfigError
from tests.clones import SET_FOR_TENSORFLOW as NAMES
from tests.clones import environment

# An empty module stands for TensorFlow, whose import takes seconds: what it would read is set before.
LOAD = f"""
import json, os, sys, types
sys.modules["tensorflow"] = types.ModuleType("tensorflow")
from pipeline.config import TensorFlowConfig
from pipeline.tensorflow_process import load_tensorflow
load_tensorflow(TensorFlowConfig(instruction_set=sys.argv[1], precision=sys.argv[2]))
print(json.dumps([os.environ.get(name) for name in {NAMES}]))
"""


def set_by(instruction_set: str, precision: str = "float32", **given: str) -> list[str | None]:
    env = environment() | given
    command = [sys.executable, "-c", LOAD, instruction_set, precision]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    found: list[str | None] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_a_capped_instruction_set() -> None:
    flags = "--xla_cpu_max_isa=AVX2 --xla_cpu_enable_platform_dependent_math=false"
    assert set_by("avx2") == ["AVX2", "1", flags]
    found = set_by("avx2", TF_ENABLE_ONEDNN_OPTS="0", XLA_FLAGS="--xla_cpu_use_xnnpack=false")
    assert found == ["AVX2", "1", f"--xla_cpu_use_xnnpack=false {flags}"]


def test_native_changes_nothing() -> None:
    assert set_by("native") == [None, None, None]


def test_auto_is_avx2_and_native_for_a_reduced_precision() -> None:
    assert set_by("auto") == set_by("avx2")
    assert set_by("auto", "mixed_bfloat16") == [None, None, None]


def test_a_cap_from_outside_does_not_hold_for_a_reduced_precision() -> None:
    assert set_by("auto", "mixed_bfloat16", ONEDNN_MAX_CPU_ISA="AVX2") == [None, None, None]
    assert set_by("native", ONEDNN_MAX_CPU_ISA="AVX2") == ["AVX2", None, None], "the user's own, and nothing aborts"


def test_jobs_of_one_process_keep_to_one_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tensorflow_process, "_loaded_with", ["avx2"])
    message = (
        "trainer.precision: found mixed_bfloat16, but this process has computed with avx2 instructions, and TensorFlow "
        "sets that once. Run the jobs with another trainer.precision by a command of their own."
    )
    with pytest.raises(ConfigError, match=re.escape(message)):
        tensorflow_process.load_tensorflow(TensorFlowConfig(precision="mixed_bfloat16"))


PANDAS = """
import gc, sys
from pipeline.config import TensorFlowConfig
from pipeline.tensorflow_process import load_tensorflow
load_tensorflow(TensorFlowConfig())
frozen = gc.get_freeze_count()
assert frozen > 0, "what was imported is looked through at each training"
import keras, numpy as np
inputs = keras.Input((2,))
model = keras.Model(inputs, keras.layers.Dense(1)(inputs))
model.predict(np.ones((3, 2)), verbose=0)
assert "pandas" not in sys.modules and "sklearn" not in sys.modules, "they take seconds"
import pandas
model.compile(loss="mse")
model.fit(pandas.DataFrame(np.ones((3, 2))), pandas.Series([1.0, 2.0, 3.0]), verbose=0)
print(model.predict(pandas.DataFrame(np.ones((3, 2))), verbose=0).shape)
keras.visualization.plot_image_gallery(np.ones((1, 4, 4, 3)), value_range=(0, 1), rows=1, cols=1)
print("drawn")
load_tensorflow(TensorFlowConfig())
assert gc.get_freeze_count() <= frozen, "models of earlier trainings are never collected"
"""


def test_keras_knows_pandas_once_somebody_imports_it_and_can_draw() -> None:
    """A callback of the user's may hand it a table."""
    done = subprocess.run(
        [sys.executable, "-c", PANDAS], env=environment(), capture_output=True, text=True, check=False
    )
    assert done.stdout.splitlines()[-2:] == ["(3, 1)", "drawn"], done.stderr
