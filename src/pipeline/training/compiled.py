"""The trainer `compiled`: a block of epochs as one `tf.function` over tensors that stay on the device.

What `fit` does in Python for each step and epoch (next batch, callbacks, logs) happens here in the graph, or once
for a block. Order and dropout are the same functions of (seed, epoch) as in the trainer `keras`. Where one block ends
and the next begins changes no bit, so blocks may be as long as it takes for Ctrl-C to be heard within a second.
"""

import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.data.order import epoch_order
from pipeline.training.job import Examples, Job
from pipeline.training.optimizers import build_optimizer
from pipeline.training.seeding import seed_generators, seed_states

EVALUATION_BATCH = 1024
BLOCK_SECONDS = 1.0
BLOCK_ROWS = 2**22  # the order of that many rows is at most 16 MiB


def train(job: Job) -> None:
    """Train `job.core` in place."""
    config, life = job.config, job.life
    optimizer = build_optimizer(config.optimizer, job.steps_per_epoch * config.epochs)
    optimizer.build(job.core.trainable_variables)
    epoch = life.begin(optimizer)
    generators = seed_generators(job.layers_with_seeds)
    run_block = _block_function(job, optimizer, generators)
    longest = max(1, BLOCK_ROWS // job.train.num_rows)
    fits = 1
    while epoch < config.epochs and not life.stopped:
        life.begin_epoch()
        count = min(fits, longest, life.epochs_until_look(), config.epochs - epoch)
        epochs = range(epoch, epoch + count)
        orders = np.stack([epoch_order(job.seed, e, job.train.num_rows) for e in epochs])
        states = np.stack([seed_states(generators, job.seed, e) for e in epochs])
        start = time.perf_counter()
        values_EV = np.asarray(run_block(orders, states), np.float64)
        fits = max(1, int(count * BLOCK_SECONDS / (time.perf_counter() - start)))
        for *values, finite_steps in values_EV.tolist():
            life.epoch(dict(zip(job.value_names, values, strict=True)), int(finite_steps) + 1)
        epoch += count
        life.rest()
    life.end()


def _block_function(job: Job, optimizer: Any, generators: list[Any]) -> Any:
    """`run(orders_EN, states_EGS)` trains E epochs and returns (E, 6): each one's values, and how many of its steps
    came before the first loss that is not finite."""
    import tensorflow as tf

    epoch_of = _epoch_function(job, optimizer, generators)

    def epoch(e: Any, orders_EN: Any, states_EGS: Any, values: Any) -> Any:
        return e + 1, orders_EN, states_EGS, values.write(e, epoch_of(orders_EN[e], states_EGS[e]))

    # loops are written out, because AutoGraph takes longer to convert them than many a model to train
    @tf.function(jit_compile=False, autograph=False)  # type: ignore[untyped-decorator]
    def run(orders_EN: Any, states_EGS: Any) -> Any:
        count = tf.shape(orders_EN)[0]
        values = tf.TensorArray(tf.float32, size=count, element_shape=[6])
        *_, values = tf.while_loop(lambda e, *_: e < count, epoch, (0, orders_EN, states_EGS, values))
        return values.stack()

    signature = [
        tf.TensorSpec([None, job.train.num_rows], tf.int32),
        tf.TensorSpec([None, len(generators), 2], tf.int64),
    ]
    return run.get_concrete_function(*signature)


def _epoch_function(job: Job, optimizer: Any, generators: list[Any]) -> Any:
    """`epoch_of(order_N, states_GS)` trains one epoch; returns its values, and the number of steps before the first
    loss that is not finite (6,)."""
    import tensorflow as tf

    size = job.config.batch_size
    whole, rest = divmod(job.train.num_rows, size)
    train = _tensors(job.train)
    step = _step_function(job, optimizer)
    validation = _tensors(job.validation)

    def add(sums: Any, rows: Any) -> Any:
        sums = sums + step([tf.gather(array, rows) for array in train])
        # a sum that is not finite never becomes so again, hence this counts the steps before it
        return sums + tf.cast(tf.math.is_finite(sums[0]), tf.float32) * tf.constant([0.0, 0.0, 1.0])

    def epoch_of(order_N: Any, states_GS: Any) -> Any:
        for i, seeds in enumerate(generators):
            seeds.state.assign(tf.cast(states_GS[i], seeds.state.dtype))
        sums = tf.zeros(3)
        batches = tf.reshape(order_N[: whole * size], [whole, size])
        if whole:
            _, sums = tf.while_loop(lambda s, _: s < whole, lambda s, sums: (s + 1, add(sums, batches[s])), (0, sums))
        if rest:
            sums = add(sums, order_N[whole * size :])
        rate = tf.cast(tf.convert_to_tensor(optimizer.learning_rate), tf.float32)
        measured = [sums[:2] / job.train.num_rows, _evaluate(job, validation), rate[tf.newaxis], sums[2:]]
        return tf.concat(measured, axis=0)

    return tf.function(epoch_of, jit_compile=True, autograph=False) if job.xla else epoch_of


def _step_function(job: Job, optimizer: Any) -> Any:
    """One optimizer step on a batch; returns the sums over its rows of loss and metric, and 0 (3,)."""
    import tensorflow as tf

    loss_of = job.head.loss()

    def step(batch: list[Any]) -> Any:
        features, target, *weight = batch
        if job.augment is not None:
            features = job.augment(features, training=True)
        rows = tf.cast(tf.shape(features)[0], tf.float32)
        with tf.GradientTape() as tape:
            outputs = job.core(features, training=True)
            loss = loss_of(target, outputs, sample_weight=weight[0] if weight else None)
            loss = tf.add_n([loss, *job.core.losses])
        variables = job.core.trainable_variables
        optimizer.apply(tape.gradient(loss, [v.value for v in variables]), variables)
        return tf.stack([loss * rows, tf.reduce_sum(job.head.row_metric(target, outputs)), 0.0])

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
