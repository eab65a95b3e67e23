"""The validation rows' loss and metric at the end of an epoch, as a part of the trainer `compiled`'s graph."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from pipeline.training.batches import in_order, tensors
from pipeline.training.job import Job

if TYPE_CHECKING:
    import tensorflow as tf


def validation_function(job: Job, by_batch: bool) -> "Callable[[], tf.Tensor]":
    """A function `evaluate()` that returns the mean loss and metric over all validation rows (2,).

    It takes them in batches that fit into memory. With `by_batch`, XLA compiles each batch, and not the whole epoch.
    """
    import tensorflow as tf

    loss_of = job.head.loss("sum")

    def add(sums: tf.Tensor, batch: Sequence[tf.Tensor]) -> tf.Tensor:
        features, target, *weight = batch
        outputs = job.core(features, training=False)
        loss = loss_of(target, outputs, sample_weight=weight[0] if weight else None)
        rows = tf.cast(tf.shape(features)[0], tf.float32)
        penalty = tf.add_n([tf.zeros([]), *job.core.losses])
        return sums + tf.stack([loss + penalty * rows, tf.reduce_sum(job.head.row_metric(target, outputs))])

    add = tf.function(add, jit_compile=True, autograph=False) if by_batch else add
    num_rows, size = job.validation.num_rows, job.validation.at_once
    whole, rest = divmod(num_rows, size)
    cut = whole * size
    if job.validation.streamed:
        # The batches have a known shape, as those in memory have, because a layer may choose how it computes by the
        # size of the batch.
        parts = [(range(cut), size), (range(cut, num_rows), rest)]
        datasets = [in_order(job.validation, rows, size) for rows, size in parts if rows]

        def evaluate_streamed() -> tf.Tensor:
            sums = tf.zeros(2)
            for dataset in datasets:
                sums = dataset.reduce(sums, add)
            return sums / num_rows

        return evaluate_streamed

    held_out = tensors(job.validation)
    batches = [tf.reshape(array[:cut], [whole, size, *array.shape[1:]]) for array in held_out]

    def evaluate() -> tf.Tensor:
        sums = tf.zeros(2)
        if whole:
            _, sums = tf.while_loop(
                lambda b, _: b < whole, lambda b, sums: (b + 1, add(sums, [a[b] for a in batches])), (0, sums)
            )
        if rest:
            sums = add(sums, [array[-rest:] for array in held_out])
        return sums / num_rows

    return evaluate
