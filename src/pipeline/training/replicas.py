"""What changes in the trainer `compiled` where several replicas, of one process or of several workers, share a batch.

Each worker decides for itself about early stopping, callbacks and errors, so all workers must see the same values and
weights. Whatever a replica has of its own is therefore averaged before anything looks at it.

Shapes: B rows of a batch, R replicas, S rows in a replica's share, G seed generators.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from pipeline.errors import ArtifactError
from pipeline.files import digest_value
from pipeline.training.batches import gather
from pipeline.training.distribution import MULTI_WORKER
from pipeline.training.job import Job

if TYPE_CHECKING:
    import keras
    import tensorflow as tf


class SharedSteps:
    """What `Steps` (steps.py) does, where every replica takes an equal share of each batch."""

    def __init__(
        self, job: Job, optimizer: "keras.optimizers.Optimizer", generators: "list[keras.random.SeedGenerator]"
    ) -> None:
        self._core, self._strategy, self._generators = job.core, job.strategy, generators
        self._on_replica = _share_function(job, optimizer)

    def seed(self, states_GS: "tf.Tensor") -> None:
        """Seed each replica with numbers of its own; otherwise all would drop the same units from their shares."""
        import tensorflow as tf

        def on_replica() -> tf.Tensor:
            for i, seeds in enumerate(self._generators):
                own = states_GS[i] + tf.cast(tf.stack([_replica(), 0]), states_GS.dtype)
                seeds.state.assign(tf.cast(own, seeds.state.dtype))
            return tf.zeros([])

        self._strategy.run(on_replica)

    def batch(self, rows_B: "tf.Tensor") -> "tf.Tensor":
        """The row numbers themselves, because each replica gathers the rows of its share."""
        return rows_B

    def step(self, rows_B: "tf.Tensor") -> "tf.Tensor":
        """One optimizer step on a batch; returns the sums of loss and metric over its rows, and 0 (3,).

        Where the replicas do not divide the batch evenly, it is filled up with rows of its own. These count in batch
        norm alone.
        """
        import tensorflow as tf

        replicas, num_rows = self._strategy.num_replicas_in_sync, rows_B.shape[0]
        shared = num_rows + -num_rows % replicas
        rows_RS = tf.reshape(tf.gather(rows_B, tf.range(shared) % num_rows), [replicas, -1])
        real_RS = tf.reshape(tf.cast(tf.range(shared) < num_rows, tf.float32), [replicas, -1])
        sums = self._strategy.run(self._on_replica, args=(rows_RS, real_RS, float(num_rows)))
        return self._strategy.reduce("SUM", sums, axis=None)

    def synchronize(self) -> None:
        """Set batch norm's moving statistics, of which each replica has its own, to their mean over the replicas."""
        statistics = [v for v in self._core.non_trainable_variables if v.dtype == "float32"]
        for variable in statistics:
            variable.assign(self.agreed(variable.value))

    def agreed(self, measured: "tf.Tensor") -> "tf.Tensor":
        """The mean of what each replica has, which then has the same bits in all of them."""
        import tensorflow as tf

        return self._strategy.reduce("MEAN", self._strategy.run(tf.identity, args=(measured,)), axis=None)


def _share_function(
    job: Job, optimizer: "keras.optimizers.Optimizer"
) -> "Callable[[tf.Tensor, tf.Tensor, float], tf.Tensor]":
    """A function `on_replica(rows_RS, real_RS, num_rows)`: one step on a replica's share of a batch of `num_rows` rows.

    `rows_RS` are the row numbers of all shares; `real_RS` is 1 for the rows that count, and 0 for those that fill up.
    """
    import tensorflow as tf

    replicas = job.strategy.num_replicas_in_sync
    loss_of = job.head.loss("sum")  # not the mean, which Keras would divide by the number of replicas
    take = gather(job.train)

    def on_replica(rows_RS: tf.Tensor, real_RS: tf.Tensor, num_rows: float) -> tf.Tensor:
        mine = _replica()
        features, target, *weight = take(rows_RS[mine])
        real_S = real_RS[mine]
        if job.augment is not None:
            features = job.augment(features, training=True)
        with tf.GradientTape() as tape:
            outputs = job.core(features, training=True)
            total = loss_of(target, outputs, sample_weight=real_S * weight[0] if weight else real_S)
            # Over all replicas, this adds up to the mean loss of the batch plus the penalty.
            loss = total / num_rows + tf.add_n([tf.zeros([]), *job.core.losses]) / replicas
        variables = job.core.trainable_variables
        optimizer.apply(tape.gradient(loss, [v.value for v in variables]), variables)
        return tf.stack([loss * num_rows, tf.reduce_sum(job.head.row_metric(target, outputs) * real_S), 0.0])

    return on_replica


def check_same_start(name: str, strategy: "tf.distribute.Strategy", identity: str, done: int) -> None:
    """Raise ArtifactError where the workers of a `multi_worker` training are about to train different runs, or would
    start the same run from different epochs."""
    import tensorflow as tf

    if name != MULTI_WORKER:
        return
    mine = [done, int(digest_value(identity)[:15], 16)]

    @tf.function(autograph=False)  # type: ignore[untyped-decorator]
    def gather_all() -> tf.Tensor:
        return strategy.gather(strategy.run(lambda: tf.constant([mine], tf.int64)), axis=0)

    starts = np.asarray(gather_all()).tolist()
    if any(start != starts[0] for start in starts):
        what = "the same run" if len({run for _, run in starts}) == 1 else f"different runs (here {identity})"
        raise ArtifactError(
            f"trainer.strategy: the replicas have {what}, {', '.join(str(epoch) for epoch, _ in starts)} epochs done, "
            "expected the same run and epoch. Give all workers the same checkout, data and shared folder runs/."
        )


def _replica() -> "tf.Tensor":
    import tensorflow as tf

    return tf.distribute.get_replica_context().replica_id_in_sync_group
