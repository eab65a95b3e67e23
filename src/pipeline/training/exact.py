"""The trainer `exact`: the minimum itself, for the two families whose loss is convex.

Linear: least squares with a ridge term, (X'WX + l2 I) b = X'Wy (Hastie, Tibshirani, Friedman 2009, equation 3.44),
by an orthogonal decomposition, in one epoch. Logistic: Newton's method, that is iteratively reweighted least squares
(the same, section 4.4.1; Boehning 1992 for more than two classes), an iteration each epoch, halved while it overshoots.

TensorFlow does the algebra, in float64, because its kernels do not depend on the kind of processor as NumPy's do.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.config import MULTICLASS, REGRESSION
from pipeline.data.rows_file import RowsFile
from pipeline.errors import ConfigError
from pipeline.training.batches import tensors
from pipeline.training.job import Examples, Job

TOLERANCE = 1e-6  # the weights are kept as float32
SEPARATED = 1e-6  # a mean log loss that only weights without bound reach
SMALLEST_STEP = 2.0**-20
MOST_PARAMETERS = 5000  # the Hessian of that many takes 200 MB


def train(job: Job) -> None:
    """Train `job.core` in place; `trainer.epochs` is the most that Newton may take."""
    epoch = job.life.begin()
    solve = _least_squares if job.head.task == REGRESSION else _newton_step
    width = (job.core.get_layer("head").kernel.shape[0] + 1) * job.head.num_outputs
    if width > MOST_PARAMETERS and job.head.task != REGRESSION:
        raise ConfigError(
            f"trainer exact: found {width} parameters, expected at most {MOST_PARAMETERS}. Use trainer=compiled."
        )
    while epoch < job.config.epochs and not job.life.stopped:
        job.life.begin_epoch()
        converged, step = solve(job)
        values = _values(job, step)
        job.life.epoch(values)
        if job.head.task != REGRESSION and values["loss"] < SEPARATED:
            raise ConfigError(
                "trainer exact: a plane separates the classes without error, so that larger weights are always better "
                "and there is no minimum. Set model.l2, say to 0.001."
            )
        if converged:
            job.life.stop()
        epoch += 1
        job.life.rest()
    if not job.life.stopped:
        raise ConfigError(
            f"trainer exact: no minimum after {job.config.epochs} iterations. Raise trainer.epochs or model.l2."
        )
    job.life.end()


def _least_squares(job: Job) -> tuple[bool, float]:
    """Set the weights to the least-squares solution. Returns (converged, step length), as all solvers here do."""
    import tensorflow as tf

    x_ND, y_N1, weight_N = _rows(job.train)
    root_N1 = np.sqrt(weight_N / len(weight_N))[:, np.newaxis]
    penalty = np.sqrt(_l2(job)) * np.eye(x_ND.shape[1])
    penalty[-1] = 0.0  # the intercept is free
    a = tf.constant(np.vstack([x_ND * root_N1, penalty]))
    b = tf.constant(np.vstack([y_N1 * root_N1, np.zeros((len(penalty), 1))]))
    _set(job, np.asarray(tf.linalg.lstsq(a, b, fast=False)))
    return True, 1.0


def _newton_step(job: Job) -> tuple[bool, float]:
    """Move the weights by one Newton step of the penalised mean log loss."""
    import tensorflow as tf

    x_ND, target, weight_N = _rows(job.train)
    rows, width = x_ND.shape
    classes = job.head.num_outputs
    one_hot_NK = np.eye(classes)[target] if job.head.task == MULTICLASS else target
    l2 = np.full((width, classes), _l2(job))
    l2[-1] = 0.0
    x, y, share = tf.constant(x_ND), tf.constant(one_hot_NK), tf.constant(weight_N / rows)[:, tf.newaxis]

    def objective(beta_DK: Any) -> float:
        logits = tf.matmul(x, beta_DK)
        if classes == 1:
            losses = tf.nn.sigmoid_cross_entropy_with_logits(y, logits)[:, 0]
        else:
            losses = tf.nn.softmax_cross_entropy_with_logits(y, logits)
        return float(tf.reduce_sum(losses * share[:, 0]) + tf.reduce_sum(l2 * beta_DK**2))

    beta = tf.constant(_get(job))
    logits = tf.matmul(x, beta)
    p_NK = tf.sigmoid(logits) if classes == 1 else tf.nn.softmax(logits)
    gradient_DK = tf.matmul(x, (p_NK - y) * share, transpose_a=True) + 2 * l2 * beta
    blocks = []
    for j in range(classes):
        row = []
        for k in range(classes):
            curvature_N = p_NK[:, j] * ((1.0 if j == k else 0.0) - p_NK[:, k])
            block = tf.matmul(x, x * (curvature_N[:, tf.newaxis] * share), transpose_a=True)
            row.append(block + tf.linalg.diag(2 * l2[:, k]) if j == k else block)
        blocks.append(tf.concat(row, axis=1))
    hessian = tf.concat(blocks, axis=0)
    flat = tf.reshape(tf.transpose(gradient_DK), [-1, 1])
    # softmax's weights are determined up to a shift, hence the solution of least norm
    solution = tf.linalg.lstsq(hessian, flat, fast=False)
    step_DK = tf.transpose(tf.reshape(solution, [classes, width]))
    before, length = objective(beta), 1.0
    while objective(beta - length * step_DK) > before and length > SMALLEST_STEP:
        length /= 2
    moved = np.asarray(beta - length * step_DK)
    _set(job, moved)
    return bool(np.abs(length * step_DK).max() <= TOLERANCE * (1 + np.abs(moved).max())), length


def _rows(examples: Examples) -> tuple[NDArray[np.float64], NDArray[Any], NDArray[np.float64]]:
    """Features with a column of ones behind (N, D + 1), target, and row weights (N,)."""
    if isinstance(examples.features, RowsFile):
        raise ConfigError(
            "trainer exact keeps all features in memory, but they exceed trainer.resident_bytes. Raise that, or use "
            "trainer=compiled."
        )
    flat = examples.features.reshape(examples.num_rows, -1).astype(np.float64)
    x = np.hstack([flat, np.ones((examples.num_rows, 1))])
    target = examples.target if examples.target.ndim == 1 else examples.target.astype(np.float64)
    weight = np.ones(examples.num_rows) if examples.weight is None else examples.weight.astype(np.float64)
    return x, target, weight


def _l2(job: Job) -> float:
    penalty = job.core.get_layer("head").kernel_regularizer
    return float(penalty.l2) if penalty is not None else 0.0


def _get(job: Job) -> NDArray[np.float64]:
    """Kernel and bias as one matrix (D + 1, K)."""
    kernel, bias = job.core.get_layer("head").get_weights()
    return np.vstack([kernel, bias]).astype(np.float64)


def _set(job: Job, beta: NDArray[np.float64]) -> None:
    job.core.get_layer("head").set_weights([beta[:-1].astype(np.float32), beta[-1].astype(np.float32)])


def _values(job: Job, step: float) -> dict[str, float]:
    """What every trainer measures; the learning rate is the length of the step."""
    import tensorflow as tf

    found = []
    for examples in (job.train, job.validation):
        features, target, *weight = tensors(examples)
        outputs = job.core(features, training=False)
        loss = job.head.loss()(target, outputs, sample_weight=weight[0] if weight else None)
        loss = tf.add_n([loss, *job.core.losses])
        found += [float(loss), float(tf.reduce_mean(job.head.row_metric(target, outputs)))]
    return dict(zip(job.value_names, [*found, step], strict=True))
