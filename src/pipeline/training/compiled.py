"""The trainer `compiled`: a block of epochs as one `tf.function` over tensors that stay on the device.

What `fit` does in Python for each step and epoch (next batch, callbacks, logs) happens here in the graph, or once
for a block. Order and dropout are the same functions of (seed, epoch) as in the trainer `keras`.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.data.order import epoch_order
from pipeline.training.early_stopping import EarlyStopping
from pipeline.training.job import Examples, Job
from pipeline.training.optimizers import build_optimizer
from pipeline.training.seeding import seed_generators, seed_states

EVALUATION_BATCH = 1024
EPOCHS_A_BLOCK = 10


def train(job: Job) -> None:
    """Train `job.core` in place."""
    config = job.config
    optimizer = build_optimizer(config.optimizer, job.steps_per_epoch * config.epochs)
    optimizer.build(job.core.trainable_variables)
    run_block = _block_function(job, optimizer)
    stopping = EarlyStopping(config.early_stopping, job.core)
    block = 1 if stopping.active else EPOCHS_A_BLOCK
    epoch = 0
    while epoch < config.epochs and not stopping.stopped:
        count = min(block, config.epochs - epoch)
        epochs = range(epoch, epoch + count)
        orders = np.stack([epoch_order(job.seed, e, job.train.num_rows) for e in epochs])
        states = np.stack([seed_states(job.core, job.seed, e) for e in epochs])
        values_EV = np.asarray(run_block(orders, states), np.float64)
        for values in values_EV:
            epoch += 1
            named = dict(zip(_names(job), values.tolist(), strict=True))
            job.on_epoch(epoch, named)
            stopping.epoch(epoch, named["val_loss"])
    stopping.restore()


def _names(job: Job) -> tuple[str, ...]:
    return ("loss", job.head.metric, "val_loss", f"val_{job.head.metric}", "learning_rate")


def _block_function(job: Job, optimizer: Any) -> Any:
    """`run(orders_EN, states_EGS)` trains E epochs and returns each one's values (E, 5)."""
    import tensorflow as tf

    core, size = job.core, job.config.batch_size
    whole, rest = divmod(job.train.num_rows, size)
    train, validation = _tensors(job.train), _tensors(job.validation)
    generators = seed_generators(core)
    step = _step_function(job, optimizer)

    def epoch_of(order_N: Any, states_GS: Any) -> Any:
        for i, seeds in enumerate(generators):
            seeds.state.assign(tf.cast(states_GS[i], seeds.state.dtype))
        sums = tf.zeros(2)
        for s in tf.range(whole):
            rows = order_N[s * size : (s + 1) * size]
            sums += step([tf.gather(array, tf.ensure_shape(rows, [size])) for array in train])
        if rest:
            rows = tf.ensure_shape(order_N[whole * size :], [rest])
            sums += step([tf.gather(array, rows) for array in train])
        return sums / job.train.num_rows

    @tf.function(jit_compile=False)  # type: ignore[untyped-decorator]
    def run(orders_EN: Any, states_EGS: Any) -> Any:
        values = tf.TensorArray(tf.float32, size=tf.shape(orders_EN)[0], element_shape=[5])
        for e in tf.range(tf.shape(orders_EN)[0]):
            trained = epoch_of(orders_EN[e], states_EGS[e])
            held_out = _evaluate(job, validation)
            rate = tf.cast(tf.convert_to_tensor(optimizer.learning_rate), tf.float32)
            values = values.write(e, tf.concat([trained, held_out, rate[tf.newaxis]], axis=0))
        return values.stack()

    signature = [
        tf.TensorSpec([None, job.train.num_rows], tf.int32),
        tf.TensorSpec([None, len(generators), 2], tf.int64),
    ]
    return run.get_concrete_function(*signature)


def _step_function(job: Job, optimizer: Any) -> Any:
    """One optimizer step on a batch; returns the sums over its rows of loss and metric (2,)."""
    import tensorflow as tf

    loss_of = job.head.loss()

    def step(batch: list[Any]) -> Any:
        features, target, *weight = batch
        rows = tf.cast(tf.shape(features)[0], tf.float32)
        with tf.GradientTape() as tape:
            outputs = job.core(features, training=True)
            loss = loss_of(target, outputs, sample_weight=weight[0] if weight else None)
            loss = tf.add_n([loss, *job.core.losses])
        variables = job.core.trainable_variables
        optimizer.apply(tape.gradient(loss, [v.value for v in variables]), variables)
        return tf.stack([loss * rows, tf.reduce_sum(job.head.row_metric(target, outputs))])

    return step


def _evaluate(job: Job, tensors: tuple[Any, ...]) -> Any:
    """Mean loss and metric over all rows (2,), in batches that fit into memory."""
    import tensorflow as tf

    loss_of = job.head.loss()
    sums = tf.zeros(2)
    for start in range(0, job.validation.num_rows, EVALUATION_BATCH):
        features, target, *weight = [array[start : start + EVALUATION_BATCH] for array in tensors]
        outputs = job.core(features, training=False)
        loss = loss_of(target, outputs, sample_weight=weight[0] if weight else None)
        rows = tf.cast(tf.shape(features)[0], tf.float32)
        loss = tf.add_n([loss, *job.core.losses])
        sums += tf.stack([loss * rows, tf.reduce_sum(job.head.row_metric(target, outputs))])
    return sums / job.validation.num_rows


def _tensors(examples: Examples) -> tuple[Any, ...]:
    import tensorflow as tf

    arrays: list[NDArray[Any]] = [examples.features, examples.target]
    if examples.weight is not None:
        arrays.append(examples.weight)
    return tuple(tf.constant(array) for array in arrays)
