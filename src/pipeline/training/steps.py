"""The steps of an epoch under the trainer `compiled`, as parts of its graph, where one process computes each batch.

`SharedSteps` in replicas.py is what takes their place with several replicas. Shapes: B rows of a batch, G seed
generators.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from pipeline.training.batches import Batch, gather
from pipeline.training.job import Job

if TYPE_CHECKING:
    import keras
    import tensorflow as tf


class Steps:
    """With `by_step`, XLA compiles each step by itself, because it cannot compile the whole epoch."""

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
        """The batch of these row numbers, where the features are in memory."""
        return self._gather(rows_B)

    def step(self, batch: Batch) -> "tf.Tensor":
        """One optimizer step on a batch; returns the sums of loss and metric over its rows, and 0 (3,)."""
        # Images are augmented outside of what XLA compiles, because XLA cannot compute that.
        if self._augment is not None:
            batch = (self._augment(batch[0], training=True), *batch[1:])
        return self._optimize(batch)

    def synchronize(self) -> None:
        """What is called between the last step and the validation. One process has nothing to bring together."""

    def agreed(self, measured: "tf.Tensor") -> "tf.Tensor":
        """The values of an epoch on which all replicas agree: with one process, those that it measured."""
        return measured


def _optimize_function(job: Job, optimizer: "keras.optimizers.Optimizer") -> "Callable[[Batch], tf.Tensor]":
    import tensorflow as tf

    loss_of = job.head.loss()

    def optimize(batch: Batch) -> tf.Tensor:
        features, target, *weight = batch
        rows = tf.cast(tf.shape(target)[0], tf.float32)
        with tf.GradientTape() as tape:
            outputs = job.core(features, training=True)
            loss = loss_of(target, outputs, sample_weight=weight[0] if weight else None)
            loss = tf.add_n([loss, *job.core.losses])
        variables = job.core.trainable_variables
        optimizer.apply(tape.gradient(loss, [v.value for v in variables]), variables)
        return tf.stack([loss * rows, tf.reduce_sum(job.head.row_metric(target, outputs)), 0.0])

    return optimize
