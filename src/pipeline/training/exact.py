"""The trainer `exact`: it finds the minimum itself, for the two families whose loss is convex.

For `linear` this is least squares with a ridge term, (X'WX + l2 I) b = X'Wy (Hastie, Tibshirani, Friedman 2009,
equation 3.44), solved by an orthogonal decomposition in one epoch. For `logistic` it is Newton's method
(training/newton.py), with one iteration in each epoch.

TensorFlow does the algebra in float64, because its kernels do not depend on the kind of processor, while NumPy's do.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.config import TrainerConfig
from pipeline.errors import ConfigError
from pipeline.training.batches import tensors
from pipeline.training.job import Job
from pipeline.training.lifecycle import Lifecycle
from pipeline.training.newton import Newton, row_space
from pipeline.training.standardized import Standardized
from pipeline.training.trainer import Trainer

Array = NDArray[np.float64]
# A solver moves the weights, and returns whether they are at the minimum now, and the length of its step.
Solver = Callable[[], tuple[bool, float]]

TOLERANCE = 1e-6  # the weights are kept as float32, which is not much more exact
MOST_PARAMETERS = 5000  # the Hessian of so many parameters takes 200 MB


@dataclass
class ExactConfig(TrainerConfig):
    """`epochs` is the largest number of iterations that Newton's method may take."""

    def check(self) -> None:
        super().check()
        for name, used in (("callbacks", self.callbacks), ("augmentation", self.augmentation.active)):
            if used:
                raise ConfigError(f"trainer exact has no use for trainer.{name}. Remove it, or use trainer=compiled.")


def train(job: Job, lifecycle: Lifecycle) -> None:
    """Train `job.core` in place; `trainer.epochs` is the largest number of iterations that Newton's method may take."""
    if job.train.streamed or job.validation.streamed:
        raise ConfigError(
            "trainer exact keeps all features in memory, but they exceed trainer.resident_bytes. Raise that, or use "
            "trainer=compiled."
        )
    epoch = lifecycle.begin()
    if epoch == 0:
        # No row determines some weights, such as that of a constant column. They shall be 0, and not a random start.
        _set(job, np.zeros_like(_get(job)))
    solve = _newton(job) if job.head.task.has_classes else _least_squares(job)
    while epoch < job.config.epochs and not lifecycle.stopped:
        lifecycle.begin_epoch()
        converged, step = solve()
        if converged:
            lifecycle.stop()  # before its epoch ends, which as the last one is not judged
        lifecycle.end_epoch(_values(job, step))
        epoch += 1
        lifecycle.checkpoint_if_due()
    if not lifecycle.stopped:
        raise ConfigError(
            f"trainer exact: no minimum after {job.config.epochs} iterations. Raise trainer.epochs or model.l2."
        )
    lifecycle.end()


def _least_squares(job: Job) -> Solver:
    """A solver that finds the least-squares solution in one step.

    Without a ridge term, combinations of columns that are 0 in all rows are left out, such as the features of a
    category, which sum to 1. Rounding would give them huge weights.
    """
    import tensorflow as tf

    rows, l2 = Standardized.of(job.train), _l2(job)
    root_N1 = np.sqrt(rows.share_N)[:, np.newaxis]
    y_N1 = job.train.target.astype(np.float64)
    penalty = np.diag(np.sqrt(rows.ridge(l2)))
    columns = tf.constant(np.eye(len(penalty)) if l2 else row_space(rows.z_ND, rows.share_N))
    a = tf.constant(np.vstack([rows.z_ND * root_N1, penalty])) @ columns
    b = tf.constant(np.vstack([y_N1 * root_N1, np.zeros((len(penalty), 1))]))

    def solve() -> tuple[bool, float]:
        _set(job, rows.outwards(np.asarray(columns @ tf.linalg.lstsq(a, b, fast=False))))
        return True, 1.0

    return solve


def _newton(job: Job) -> Solver:
    """A solver that takes one Newton step on the penalised mean log loss each time it is called."""
    width = _get(job).size
    if width > MOST_PARAMETERS:
        raise ConfigError(
            f"trainer exact: found {width} parameters, expected at most {MOST_PARAMETERS}. Use trainer=compiled."
        )
    rows, target = Standardized.of(job.train), job.train.target
    y_NK = np.eye(job.head.num_outputs)[target] if job.head.num_outputs > 1 else target.astype(np.float64)
    newton = Newton(rows.z_ND, y_NK, rows.share_N, rows.ridge(_l2(job)))
    # how much a column typically adds to a logit, for each unit of its weight
    size_D1 = np.append(np.hypot(rows.mean, rows.deviation), 1.0)[:, np.newaxis]

    def solve() -> tuple[bool, float]:
        gamma, whole_step, length = newton.step(rows.inwards(_get(job)))
        _set(job, rows.outwards(gamma))
        # The weights are kept as float32. So a logit is only as exact as its largest part, and all that follows is as
        # well.
        kept = _get(job)
        exactness = TOLERANCE * (1 + np.abs(kept * size_D1).max())
        small_step = np.abs(rows.outwards(whole_step) * size_D1).max() <= exactness
        flat = np.abs(newton.gradient(rows.inwards(kept))).max() <= exactness
        better = newton.loss(rows.inwards(kept)) <= newton.loss(np.zeros_like(gamma)) + exactness
        return bool(small_step and flat and better), length

    return solve


def _l2(job: Job) -> float:
    penalty = job.core.get_layer("head").kernel_regularizer
    return float(penalty.l2) if penalty is not None else 0.0


def _get(job: Job) -> Array:
    """Kernel and bias as one matrix (D + 1, K)."""
    kernel, bias = job.core.get_layer("head").get_weights()
    beta: Array = np.vstack([kernel, bias]).astype(np.float64)
    return beta


def _set(job: Job, beta: Array) -> None:
    job.core.get_layer("head").set_weights([beta[:-1].astype(np.float32), beta[-1].astype(np.float32)])


def _values(job: Job, step: float) -> dict[str, float]:
    """The values that every trainer measures; the length of the step stands for the learning rate."""
    import tensorflow as tf

    found = []
    for examples in (job.train, job.validation):
        features, target, *weight = tensors(examples)
        outputs = job.core(features, training=False)
        loss = job.head.loss()(target, outputs, sample_weight=weight[0] if weight else None)
        loss = tf.add_n([loss, *job.core.losses])
        found += [float(loss), float(tf.reduce_mean(job.head.row_metric(target, outputs)))]
    return dict(zip(job.value_names, [*found, step], strict=True))


TRAINER = Trainer(ExactConfig, train, convex_only=True)
