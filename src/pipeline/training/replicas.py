"""What changes in the trainer `compiled` where several replicas, of one process or of several workers, share a batch.

Early stopping, callbacks and trouble are decided by each worker for itself, so all must see the same values and
weights: what a replica has of its own is averaged before anyone looks.

Shapes: B rows of a batch, R replicas, S rows in a replica's share, G seed generators.
"""

from typing import Any

import numpy as np

from pipeline.errors import ArtifactError, ConfigError
from pipeline.files import digest_value
from pipeline.training.batches import gather
from pipeline.training.job import Job


def shared_step_function(job: Job, optimizer: Any, replicas: int) -> Any:
    """One optimizer step on the numbers of a batch's rows (B,), of which every replica takes an equal share; returns
    the sums over its rows of loss and metric, and 0 (3,). A batch that does not divide is filled up with rows of its
    own, which count in batch norm alone."""
    import tensorflow as tf

    if job.train.streamed:
        raise ConfigError("trainer.strategy needs features in memory: raise trainer.resident_bytes.")
    loss_of = job.head.loss("sum")  # Keras divides a mean by the number of replicas
    take = gather(job.train)

    def on_replica(rows_RS: Any, real_RS: Any, num_rows: float) -> Any:
        mine = _replica()
        features, target, *weight = take(rows_RS[mine])
        real_S = real_RS[mine]
        if job.augment is not None:
            features = job.augment(features, training=True)
        with tf.GradientTape() as tape:
            outputs = job.core(features, training=True)
            total = loss_of(target, outputs, sample_weight=real_S * weight[0] if weight else real_S)
            # over the replicas this adds up to the batch's mean loss and its penalty
            loss = total / num_rows + tf.add_n([tf.zeros([]), *job.core.losses]) / replicas
        variables = job.core.trainable_variables
        optimizer.apply(tape.gradient(loss, [v.value for v in variables]), variables)
        return tf.stack([loss * num_rows, tf.reduce_sum(job.head.row_metric(target, outputs) * real_S), 0.0])

    def step(rows_B: Any) -> Any:
        num_rows = rows_B.shape[0]
        shared = num_rows + -num_rows % replicas
        rows_RS = tf.reshape(tf.gather(rows_B, tf.range(shared) % num_rows), [replicas, -1])
        real_RS = tf.reshape(tf.cast(tf.range(shared) < num_rows, tf.float32), [replicas, -1])
        sums = job.strategy.run(on_replica, args=(rows_RS, real_RS, float(num_rows)))
        return job.strategy.reduce("SUM", sums, axis=None)

    return step


def seed_replicas(job: Job, generators: list[Any], states_GS: Any) -> None:
    """Seed each replica with numbers of its own, or all would drop the same units from their shares."""
    import tensorflow as tf

    def on_replica() -> Any:
        for i, seeds in enumerate(generators):
            own = states_GS[i] + tf.cast(tf.stack([_replica(), 0]), states_GS.dtype)
            seeds.state.assign(tf.cast(own, seeds.state.dtype))
        return tf.zeros([])

    job.strategy.run(on_replica)


def average_statistics(job: Job) -> None:
    """Batch norm's moving statistics, of which every replica gathers its own, become their mean."""
    statistics = [v for v in job.core.non_trainable_variables if v.dtype == "float32"]
    for variable in statistics:
        variable.assign(mean_over_replicas(job.strategy, variable.value))


def mean_over_replicas(strategy: Any, value: Any) -> Any:
    """The mean of what each has: the same bits for all."""
    import tensorflow as tf

    return strategy.reduce("MEAN", strategy.run(tf.identity, args=(value,)), axis=None)


def check_same_start(strategy: Any, identity: str, done: int) -> None:
    """Raise ArtifactError where the workers are about to train different runs, or the same one from other epochs."""
    import tensorflow as tf

    mine = [done, int(digest_value(identity)[:15], 16)]

    @tf.function(autograph=False)  # type: ignore[untyped-decorator]
    def gather_all() -> Any:
        return strategy.gather(strategy.run(lambda: tf.constant([mine], tf.int64)), axis=0)

    starts = np.asarray(gather_all()).tolist()
    if any(start != starts[0] for start in starts):
        what = "the same run" if len({run for _, run in starts}) == 1 else f"different runs (here {identity})"
        raise ArtifactError(
            f"trainer.strategy: the replicas have {what}, {', '.join(str(epoch) for epoch, _ in starts)} epochs done, "
            "expected the same run and epoch. Give all workers the same checkout, data and shared folder runs/."
        )


def _replica() -> Any:
    import tensorflow as tf

    return tf.distribute.get_replica_context().replica_id_in_sync_group
