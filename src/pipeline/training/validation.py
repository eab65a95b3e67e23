"""The validation rows' loss and metric at the end of an epoch, as a part of the trainer `compiled`'s graph."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from pipeline.training.batches import Batch, in_order, tensors
from pipeline.training.job import Job

if TYPE_CHECKING:
    import tensorflow as tf


def validation_function(job: Job, by_batch: bool) -> "Callable[[], tf.Tensor]":
    """A function `evaluate()` that returns the mean loss and metric over all validation rows (2,).

    It takes them in batches that fit into memory. With `by_batch`, XLA compiles each batch, and not the whole epoch.
    """
    import tensorflow as tf

    loss_of = job.head.loss("sum")

    def add(sums: tf.Tensor, batch: Batch) -> tf.Tensor:
        features, target, *weight = batch
        outputs = job.core(features, training=False)
        loss = loss_of(target, outputs, sample_weight=weight[0] if weight else None)
        rows = tf.cast(tf.shape(target)[0], tf.float32)
        penalty = tf.add_n([tf.zeros([]), *job.core.losses])
        return sums + tf.stack([loss + penalty * rows, tf.reduce_sum(job.head.row_metric(target, outputs))])

    add = tf.function(add, jit_compile=True, autograph=False) if by_batch else add
    return _streamed(job, add) if job.validation.streamed else _resident(job, add)


# It adds the sums of loss and metric over a batch to those (2,) of the batches before.
Add = Callable[["tf.Tensor", Batch], "tf.Tensor"]


def _streamed(job: Job, add: Add) -> "Callable[[], tf.Tensor]":
    """`evaluate()` where the features are in a file."""
    import tensorflow as tf

    num_rows, size = job.validation.num_rows, job.validation.at_once
    rest = num_rows % size
    # The batches have a known shape, as those in memory have, because a layer may choose how it computes by the size of
    # the batch.
    parts = [(range(num_rows - rest), size), (range(num_rows - rest, num_rows), rest)]
    datasets = [in_order(job.validation, rows, size) for rows, size in parts if rows]

    def evaluate() -> tf.Tensor:
        sums = tf.zeros(2)
        for dataset in datasets:
            sums = dataset.reduce(sums, add)
        return sums / num_rows

    return evaluate


def _resident(job: Job, add: Add) -> "Callable[[], tf.Tensor]":
    """`evaluate()` where the features are in memory."""
    import tensorflow as tf

    num_rows, size = job.validation.num_rows, job.validation.at_once
    whole, rest = divmod(num_rows, size)
    held_out = tensors(job.validation)
    batches = tf.nest.map_structure(lambda x: tf.reshape(x[: whole * size], [whole, size, *x.shape[1:]]), held_out)

    def batch(number: tf.Tensor) -> Batch:
        one: Batch = tf.nest.map_structure(lambda x: x[number], batches)
        return one

    def evaluate() -> tf.Tensor:
        sums = tf.zeros(2)
        if whole:
            _, sums = tf.while_loop(lambda b, _: b < whole, lambda b, sums: (b + 1, add(sums, batch(b))), (0, sums))
        if rest:
            sums = add(sums, tf.nest.map_structure(lambda x: x[-rest:], held_out))
        return sums / num_rows

    return evaluate
