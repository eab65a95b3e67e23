"""Data-parallel training with `tf.distribute`: which workers there are, what each of them does, and when one is lost.

Every replica takes an equal share of each batch, and the gradients are summed (Goyal et al. 2017), so that the loss is
the same as with one process. `multi_worker` reads TF_CONFIG, which operators of Kubernetes and SLURM set. Every worker
runs the same command and shares the folder runs/ with the others; only the first worker, the chief, writes to it.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pipeline.config import TrainerConfig
from pipeline.errors import ArtifactError, ConfigError

if TYPE_CHECKING:
    import tensorflow as tf

NONE, MIRRORED, MULTI_WORKER = STRATEGIES = ("none", "mirrored", "multi_worker")
KINDS = ("chief", "worker")  # TensorFlow also knows `evaluator` and `ps` (parameter server), but these train nothing


def check_strategy(config: TrainerConfig) -> None:
    """Raise ConfigError for an optimizer that cannot be distributed, or a TF_CONFIG that cannot be read."""
    if config.strategy == NONE:
        return
    if config.optimizer.clip_norm is not None:
        raise ConfigError(
            f"trainer.strategy={config.strategy}: clip_norm would clip each replica's gradient by itself. Set it to "
            "null."
        )
    if config.strategy == MULTI_WORKER:
        _task()


def is_chief(config: TrainerConfig) -> bool:
    """Whether this process writes the run.

    That is the only process, or the chief, or the first worker where the cluster names no chief.
    """
    if config.strategy != MULTI_WORKER:
        return True
    kind, index, cluster = _task()
    return kind == "chief" or ("chief" not in cluster and kind == "worker" and index == 0)


def build_strategy(name: str) -> "tf.distribute.Strategy":
    """The `tf.distribute` strategy of this name. With `multi_worker`, this waits until every worker has joined."""
    import tensorflow as tf

    if name == MIRRORED:
        kind = "GPU" if tf.config.list_logical_devices("GPU") else "CPU"
        return tf.distribute.MirroredStrategy([device.name for device in tf.config.list_logical_devices(kind)])
    if name == MULTI_WORKER:
        return tf.distribute.MultiWorkerMirroredStrategy()
    return tf.distribute.get_strategy()


@contextmanager
def lost_worker(name: str) -> Iterator[None]:
    """When a worker dies, collective operations of the others fail; turn their error into one clear line."""
    import tensorflow as tf

    kinds = ("UnavailableError", "AbortedError", "CancelledError", "InternalError", "DeadlineExceededError")
    try:
        yield
    except tuple(getattr(tf.errors, kind) for kind in kinds) as error:
        if name != MULTI_WORKER:
            raise
        raise ArtifactError(
            "a worker of this job was lost. Start every worker again with the same command: the run goes on after its "
            f"last checkpoint. (TensorFlow: {' '.join(str(error).split())[:120]})"
        ) from error


def _task() -> tuple[str, int, dict[str, list[str]]]:
    """This process's kind and index, and the cluster, from TF_CONFIG."""
    text = os.environ.get("TF_CONFIG", "")
    try:
        config = json.loads(text)
        kind, index, cluster = str(config["task"]["type"]), int(config["task"]["index"]), dict(config["cluster"])
        if kind not in KINDS or not 0 <= index < len(cluster[kind]):
            raise ValueError
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(
            f"trainer.strategy=multi_worker: TF_CONFIG is {text!r}, expected JSON such as "
            '{"cluster": {"worker": ["host0:2222", "host1:2222"]}, "task": {"type": "worker", "index": 0}}, '
            "its task one of the cluster's and of type worker or chief."
        ) from error
    return kind, index, cluster
