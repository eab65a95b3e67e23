"""The floor under every contender: the products that an epoch is made of, and how fast this machine multiplies.

python -m rivals.arithmetic     # {"gflops": of a large matrix product, "gflop": {case: of an epoch}}

Counted are the layers' matrix products and convolutions alone: forward, and back to inputs (but for the first layer's)
and weights; forward for the validation rows. Batch norm, activations, pooling and optimizer come on top.
"""

import json
import time
from typing import Any

import numpy as np

from pipeline.config import TensorFlowConfig
from pipeline.tensorflow_process import load_tensorflow, start_session
from rivals.cases import CASES, Case
from rivals.compiled import config_of, schema_of, split_of

SIZE = 2048


def products(layer: Any) -> int:
    """Multiplications for one row, forward."""
    weights = [int(np.prod(w.shape)) for w in layer.weights if "kernel" in w.path]
    places = 1
    if "convolution" in layer.name:
        places = int(np.prod(layer.output.shape[1:-1]))
    elif weights and len(layer.input.shape) == 3:
        places = int(layer.input.shape[1])
    return places * sum(weights)


def gflop(case: Case) -> float:
    """Billions of additions and multiplications in an epoch."""
    from pipeline.model.assembly import assemble

    schema = schema_of(case)
    core = assemble(config_of(case), schema, split_of(case, schema, 0)).core
    forward = [count for count in map(products, core.layers) if count]
    training = 3 * sum(forward) - forward[0]
    return 2 * (case.rows * training + case.rows // 8 * sum(forward)) / 1e9


def gflops() -> float:
    """Billions of additions and multiplications a second in the product of two matrices."""
    import tensorflow as tf

    matrix = tf.random.normal((SIZE, SIZE))
    times = []
    for _ in range(10):
        start = time.perf_counter()
        tf.linalg.matmul(matrix, matrix).numpy()
        times.append(time.perf_counter() - start)
    return 2 * SIZE**3 / min(times) / 1e9


if __name__ == "__main__":
    settings = TensorFlowConfig()
    load_tensorflow(settings)
    start_session(settings, seed=0)
    print(json.dumps({"gflops": gflops(), "gflop": {name: gflop(case) for name, case in CASES.items()}}))
