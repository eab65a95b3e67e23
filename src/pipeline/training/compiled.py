"""The trainer `compiled`: a block of epochs as one `tf.function` over tensors that stay on the device.

What `fit` does in Python for each step and epoch (next batch, callbacks, logs) happens here in the graph, or once
for a block. Order and dropout are the same functions of (seed, epoch) as in the trainer `keras`. Where one block ends
and the next begins changes no bit, so blocks may be as long as it takes for Ctrl-C to be heard within a second.
"""

import time
from typing import Any

import numpy as np

from pipeline.data.order import epoch_order
from pipeline.training.batches import gather, shuffled
from pipeline.training.evaluation import evaluation_function
from pipeline.training.job import Job
from pipeline.training.optimizers import build_optimizer
from pipeline.training.replicas import average_statistics, mean_over_replicas, seed_replicas, shared_step_function
from pipeline.training.seeding import seed_generators, seed_states

BLOCK_SECONDS = 1.0
BLOCK_ROWS = 2**22  # the order of that many rows is at most 16 MiB


def train(job: Job) -> None:
    """Train `job.core` in place."""
    config, life = job.config, job.life
    optimizer = build_optimizer(config.optimizer, job.steps_per_epoch * config.epochs)
    optimizer.build(job.core.trainable_variables)
    epoch = life.begin(optimizer)
    generators = seed_generators(job.layers_with_seeds)
    # streamed batches come in the same order, by tf.data, from one iterator over all epochs
    iterator = [iter(shuffled(job, epoch))] if job.train.streamed else []
    run_block = _block_function(job, optimizer, generators, iterator)
    longest = max(1, BLOCK_ROWS // job.train.num_rows)
    fits = 1
    while epoch < config.epochs and not life.stopped:
        life.begin_epoch()
        count = min(fits, longest, life.epochs_until_look(), config.epochs - epoch)
        if job.strategy.num_replicas_in_sync > 1:
            count = 1  # all workers must agree, and their clocks do not
        epochs = range(epoch, epoch + count)
        num_rows = 0 if job.train.streamed else job.train.num_rows
        orders = np.stack([epoch_order(job.seed, e, num_rows) for e in epochs])
        states = np.stack([seed_states(generators, job.seed, e) for e in epochs])
        start = time.perf_counter()
        values_EV = np.asarray(run_block(orders, states, *iterator), np.float64)
        fits = max(1, int(count * BLOCK_SECONDS / (time.perf_counter() - start)))
        for *values, finite_steps in values_EV.tolist():
            life.epoch(dict(zip(job.value_names, values, strict=True)), int(finite_steps) + 1)
        epoch += count
        life.rest()
    life.end()


def _block_function(job: Job, optimizer: Any, generators: list[Any], iterator: list[Any]) -> Any:
    """`run(orders_EN, states_EGS)` trains E epochs and returns (E, 6): each one's values, and how many of its steps
    came before the first loss that is not finite. Streamed batches come from `run`'s third argument, an iterator."""
    import tensorflow as tf

    epoch_of = _epoch_function(job, optimizer, generators)

    # loops are written out, because AutoGraph takes longer to convert them than many a model to train
    @tf.function(jit_compile=False, autograph=False)  # type: ignore[untyped-decorator]
    def run(orders_EN: Any, states_EGS: Any, *source: Any) -> Any:
        count = tf.shape(orders_EN)[0]

        def epoch(e: Any, values: Any) -> Any:
            return e + 1, values.write(e, epoch_of(orders_EN[e], states_EGS[e], *source))

        values = tf.TensorArray(tf.float32, size=count, element_shape=[6])
        _, values = tf.while_loop(lambda e, _: e < count, epoch, (0, values))
        return values.stack()

    signature = [
        tf.TensorSpec([None, 0 if iterator else job.train.num_rows], tf.int32),
        tf.TensorSpec([None, len(generators), 2], tf.int64),
        *(source._type_spec for source in iterator),
    ]
    return run.get_concrete_function(*signature)


def _epoch_function(job: Job, optimizer: Any, generators: list[Any]) -> Any:
    """`epoch_of(order_N, states_GS, *iterator)` trains one epoch; returns its values, and the number of steps before
    the first loss that is not finite (6,)."""
    import tensorflow as tf

    size = job.config.batch_size
    whole, rest = divmod(job.train.num_rows, size)
    replicas = job.strategy.num_replicas_in_sync
    step = _step_function(job, optimizer) if replicas == 1 else shared_step_function(job, optimizer, replicas)
    # what XLA cannot compute, reading and augmenting, stays outside: then it gets each step, else the whole epoch
    by_step = job.train.streamed or job.validation.streamed or job.augment is not None
    if job.xla and by_step:
        step = tf.function(step, jit_compile=True, autograph=False)
    evaluate = evaluation_function(job, job.xla and by_step)

    def add(sums: Any, batch: Any) -> Any:
        if job.augment is not None and replicas == 1:
            batch = (job.augment(batch[0], training=True), *batch[1:])
        sums = sums + step(batch)
        # a sum that is not finite never becomes so again, hence this counts the steps before it
        return sums + tf.cast(tf.math.is_finite(sums[0]), tf.float32) * tf.constant([0.0, 0.0, 1.0])

    # replicas gather their own shares
    take = gather(job.train) if replicas == 1 else lambda rows_B: rows_B

    def resident(order_N: Any) -> Any:
        batches = tf.reshape(order_N[: whole * size], [whole, size])
        return lambda s: take(batches[s]), lambda: take(order_N[whole * size :])

    def streamed(iterator: Any) -> Any:
        def batch(rows: int) -> Any:
            return tuple(tf.ensure_shape(part, [rows, *part.shape[1:]]) for part in iterator.get_next())

        return lambda _: batch(size), lambda: batch(rest)

    def seed(states_GS: Any) -> None:
        if replicas > 1:
            seed_replicas(job, generators, states_GS)
            return
        for i, seeds in enumerate(generators):
            seeds.state.assign(tf.cast(states_GS[i], seeds.state.dtype))

    def epoch_of(order_N: Any, states_GS: Any, *iterator: Any) -> Any:
        batch_of, last_batch = streamed(*iterator) if iterator else resident(order_N)
        seed(states_GS)
        sums = tf.zeros(3)
        if whole:
            _, sums = tf.while_loop(lambda s, _: s < whole, lambda s, sums: (s + 1, add(sums, batch_of(s))), (0, sums))
        if rest:
            sums = add(sums, last_batch())
        if replicas > 1:
            average_statistics(job)
        rate = tf.cast(tf.convert_to_tensor(optimizer.learning_rate), tf.float32)
        measured = tf.concat([sums[:2] / job.train.num_rows, evaluate(), rate[tf.newaxis], sums[2:]], axis=0)
        return mean_over_replicas(job.strategy, measured) if replicas > 1 else measured

    return tf.function(epoch_of, jit_compile=True, autograph=False) if job.xla and not by_step else epoch_of


def _step_function(job: Job, optimizer: Any) -> Any:
    """One optimizer step on a batch (augmented); returns the sums over its rows of loss and metric, and 0 (3,)."""
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
        return tf.stack([loss * rows, tf.reduce_sum(job.head.row_metric(target, outputs)), 0.0])

    return step
