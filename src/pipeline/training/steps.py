"""The steps of an epoch under the trainer `compiled`, as parts of its graph, where one process computes each batch.

What several replicas do instead is `SharedSteps` in replicas.py. Shapes: B rows of a batch, G seed generators.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from pipeline.training.batches import Batch, gather
from pipeline.training.job import Job

if TYPE_CHECKING:
    import keras
    import tensorflow as tf


class Steps:
    """`by_step`: XLA gets each step, because it cannot have the whole epoch."""

    def __init__(
        self,
        job: Job,
        optimizer: "keras.optimizers.Optimizer",
        generators: "list[keras.random.SeedGenerator]",
        by_step: bool,
    ) -> None:
        import tensorflow as tf

        self._augment, self._generators, self._gather = job.augment, generators, gather(job.train)
        optimize = _optimize_function(job, optimizer)
        self._optimize = tf.function(optimize, jit_compile=True, autograph=False) if by_step else optimize

    def seed(self, states_GS: "tf.Tensor") -> None:
        """Set the seed generators to their states at the start of the epoch."""
        import tensorflow as tf

        for i, seeds in enumerate(self._generators):
            seeds.state.assign(tf.cast(states_GS[i], seeds.state.dtype))

    def batch(self, rows_B: "tf.Tensor") -> Batch:
        """The batch of these row numbers, of features in memory."""
        return self._gather(rows_B)

    def step(self, batch: Batch) -> "tf.Tensor":
        """One optimizer step on a batch; returns the sums over its rows of loss and metric, and 0 (3,)."""
        # outside of what XLA gets: it cannot compute this
        if self._augment is not None:
            batch = (self._augment(batch[0], training=True), *batch[1:])
        return self._optimize(batch)

    def synchronize(self) -> None:
        """Called between the last step and the validation: one process has nothing to bring together."""

    def agreed(self, measured: "tf.Tensor") -> "tf.Tensor":
        """The epoch's values, as everyone is to see them."""
        return measured


def _optimize_function(job: Job, optimizer: "keras.optimizers.Optimizer") -> "Callable[[Batch], tf.Tensor]":
    import tensorflow as tf

    loss_of = job.head.loss()

    def optimize(batch: Batch) -> tf.Tensor:
        features, target, *weight = batch
        rows = tf.cast(tf.shape(features)[0], tf.float32)
        with tf.GradientTape() as tape:
            outputs = job.core(features, training=True)
            loss = loss_of(target, outputs, sample_weight=weight[0] if weight else None)
            loss = tf.add_n([loss, *job.core.losses])
        variables = job.core.trainable_variables
        optimizer.apply(tape.gradient(loss, [v.value for v in variables]), variables)
        return tf.stack([loss * rows, tf.reduce_sum(job.head.row_metric(target, outputs)), 0.0])

    return optimize
