"""The trainer `compiled`: a block of epochs as one `tf.function` over tensors that stay on the device.

For each step and epoch, `fit` fetches the next batch, calls the callbacks and logs in Python. Here all of that happens
in the graph, or once for a block. Order and dropout are the same functions of (seed, epoch) as in the trainer `keras`.
Where one block ends and the next begins changes no bit of the result. Blocks are therefore made to take about one
second, so that Ctrl-C is heard within a second.
"""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from pipeline.config import TrainerConfig
from pipeline.data.order import epoch_order
from pipeline.training.batches import Batch, shuffled
from pipeline.training.job import Job
from pipeline.training.lifecycle import Lifecycle
from pipeline.training.optimizers import build_optimizer
from pipeline.training.replicas import SharedSteps
from pipeline.training.seeding import seed_generators, seed_states
from pipeline.training.steps import Steps
from pipeline.training.trainer import Trainer
from pipeline.training.validation import validation_function

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

BLOCK_SECONDS = 1.0
BLOCK_ROWS = 2**22  # the order of so many rows takes 16 MiB


def train(job: Job, lifecycle: Lifecycle) -> None:
    """Train `job.core` in place."""
    config = job.config
    optimizer = build_optimizer(config.optimizer, job.steps_per_epoch * config.epochs)
    optimizer.build(job.core.trainable_variables)
    epoch = lifecycle.begin(optimizer)
    generators = seed_generators(job.layers_with_seeds)
    # Streamed batches come in the same order as those in memory: tf.data gives them, from one iterator over all epochs.
    # Replicas read the rows of their shares themselves.
    iterator = [iter(shuffled(job, epoch))] if job.train.streamed and not job.shared else []
    run_block = _block_function(job, optimizer, generators, iterator)
    # Several workers must agree on the length of a block, but their clocks do not agree. So a block is one epoch there.
    longest = 1 if job.shared else max(1, BLOCK_ROWS // job.train.num_rows)
    fits = 1
    while epoch < config.epochs and not lifecycle.stopped:
        lifecycle.begin_epoch()
        count = min(fits, longest, lifecycle.epochs_until_look(), config.epochs - epoch)
        epochs = range(epoch, epoch + count)
        num_rows = 0 if iterator else job.train.num_rows
        orders = np.stack([epoch_order(job.seed, e, num_rows) for e in epochs])
        states = np.stack([seed_states(generators, job.seed, e) for e in epochs])
        start = time.perf_counter()
        values_EV = np.asarray(run_block(orders, states, *iterator), np.float64)
        fits = max(1, int(count * BLOCK_SECONDS / (time.perf_counter() - start)))
        for *values, finite_steps in values_EV.tolist():
            lifecycle.end_epoch(dict(zip(job.value_names, values, strict=True)), int(finite_steps) + 1)
        epoch += count
        lifecycle.checkpoint_if_due()
    lifecycle.end()


def _block_function(
    job: Job,
    optimizer: "keras.optimizers.Optimizer",
    generators: "list[keras.random.SeedGenerator]",
    iterator: "list[tf.data.Iterator]",
) -> "tf.types.experimental.ConcreteFunction":
    """A function `run(orders_EN, states_EGS)` that trains E epochs and returns (E, 6).

    For each epoch these are its five values, and the number of steps before the first loss that was not finite. Where
    batches are streamed, they come from an iterator, which is the third argument of `run`.
    """
    import tensorflow as tf

    epoch_of = _epoch_function(job, optimizer, generators)

    # The loops are written out with tf.while_loop, because AutoGraph would take longer to convert Python's loops than
    # many a model takes to train.
    @tf.function(jit_compile=False, autograph=False)  # type: ignore[untyped-decorator]
    def run(orders_EN: tf.Tensor, states_EGS: tf.Tensor, *source: tf.data.Iterator) -> tf.Tensor:
        count = tf.shape(orders_EN)[0]

        def epoch(e: tf.Tensor, values: tf.TensorArray) -> tuple[tf.Tensor, tf.TensorArray]:
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


def _epoch_function(
    job: Job, optimizer: "keras.optimizers.Optimizer", generators: "list[keras.random.SeedGenerator]"
) -> "Callable[..., tf.Tensor]":
    """A function `epoch_of(order_N, states_GS, *iterator)` that trains one epoch and returns (6,).

    These are the epoch's five values, and the number of steps before the first loss that was not finite.
    """
    import tensorflow as tf

    whole, remainder = divmod(job.train.num_rows, job.config.batch_size)
    # XLA cannot read files or augment. Where a training does either, XLA compiles each step without that; otherwise it
    # compiles the whole epoch.
    by_step = job.train.streamed or job.validation.streamed or job.augment is not None
    step_by_xla = job.xla and by_step
    if job.shared:
        steps: Steps | SharedSteps = SharedSteps(job, optimizer, generators)
    else:
        steps = Steps(job, optimizer, generators, by_step=step_by_xla)
    validate = validation_function(job, by_batch=step_by_xla)

    def add(sums: tf.Tensor, batch: Batch | tf.Tensor) -> tf.Tensor:
        sums = sums + steps.step(batch)
        # Once the sum of losses is not finite, it stays so. Hence the third sum counts the steps before that.
        return sums + tf.cast(tf.math.is_finite(sums[0]), tf.float32) * tf.constant([0.0, 0.0, 1.0])

    def epoch_of(order_N: tf.Tensor, states_GS: tf.Tensor, *iterator: tf.data.Iterator) -> tf.Tensor:
        batch_of, last_batch = _streamed(job, *iterator) if iterator else _resident(job, steps.batch, order_N)
        steps.seed(states_GS)
        sums = tf.zeros(3)
        if whole:
            _, sums = tf.while_loop(lambda s, _: s < whole, lambda s, sums: (s + 1, add(sums, batch_of(s))), (0, sums))
        if remainder:
            sums = add(sums, last_batch())
        steps.synchronize()
        rate = tf.cast(tf.convert_to_tensor(optimizer.learning_rate), tf.float32)
        measured = tf.concat([sums[:2] / job.train.num_rows, validate(), rate[tf.newaxis], sums[2:]], axis=0)
        return steps.agreed(measured)

    return tf.function(epoch_of, jit_compile=True, autograph=False) if job.xla and not by_step else epoch_of


def _resident(
    job: Job, batch: "Callable[[tf.Tensor], Batch | tf.Tensor]", order_N: "tf.Tensor"
) -> "tuple[Callable[[tf.Tensor], Batch | tf.Tensor], Callable[[], Batch | tf.Tensor]]":
    """Two functions for features in memory: the s-th whole batch of an epoch, and its last batch, which is shorter."""
    import tensorflow as tf

    size = job.config.batch_size
    whole = job.train.num_rows // size
    batches = tf.reshape(order_N[: whole * size], [whole, size])
    return lambda s: batch(batches[s]), lambda: batch(order_N[whole * size :])


def _streamed(job: Job, iterator: "tf.data.Iterator") -> "tuple[Callable[[tf.Tensor], Batch], Callable[[], Batch]]":
    """The same two functions as `_resident` returns, for batches that an iterator gives in their order."""
    import tensorflow as tf

    size = job.config.batch_size

    def batch(rows: int) -> Batch:
        shaped: Batch = tf.nest.map_structure(lambda x: tf.ensure_shape(x, [rows, *x.shape[1:]]), iterator.get_next())
        return shaped

    return lambda _: batch(size), lambda: batch(job.train.num_rows % size)


TRAINER = Trainer(TrainerConfig, train, takes_xla=True, takes_strategies=True)
