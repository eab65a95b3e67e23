"""Batches of examples: from tensors that stay on the device, or streamed through tf.data from a file of features."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pipeline.data.order import epoch_order
from pipeline.data.rows_file import RowsFile
from pipeline.model.inputs.input import Arrays
from pipeline.training.examples import Examples
from pipeline.training.job import Job

if TYPE_CHECKING:
    import tensorflow as tf

# The features of some rows, a dict of tensors by their kind, then the target, and the weights where there are any.
Batch = tuple[Any, ...]


def shuffled(job: Job, done: int) -> "tf.data.Dataset":
    """A dataset of the batches of all epochs from `done` (from 0) on, one epoch after another.

    The last batch of an epoch is shorter where the batch size does not divide the rows.
    """
    import tensorflow as tf

    num_rows = job.train.num_rows

    def order(epoch: tf.Tensor) -> tf.data.Dataset:
        indices = tf.numpy_function(
            lambda e: epoch_order(job.seed, int(e), num_rows), [epoch], tf.int32, stateful=False
        )
        indices.set_shape([num_rows])
        return tf.data.Dataset.from_tensor_slices(indices).batch(job.config.batch_size)

    epochs = tf.data.Dataset.range(done, job.config.epochs).flat_map(order)
    take = gather(job.train)
    return epochs.map(take, tf.data.AUTOTUNE, deterministic=True).prefetch(tf.data.AUTOTUNE)


def in_order(examples: Examples, rows: range, size: int) -> "tf.data.Dataset":
    """A dataset of these rows in their own order, in batches of `size`.

    Where `size` divides the number of rows, all batches have the same shape, and TensorFlow knows it beforehand.
    """
    import tensorflow as tf

    numbers = tf.data.Dataset.range(rows.start, rows.stop, output_type=tf.int32)
    batches = numbers.batch(size, drop_remainder=len(rows) % size == 0)
    return batches.map(gather(examples)).prefetch(1)


def feature_batches(examples: Examples) -> Iterator[Arrays]:
    """The features alone, in the order of the rows, as many rows at a time as are evaluated together."""
    size = examples.at_once
    for start in range(0, examples.num_rows, size):
        rows = np.arange(start, min(start + size, examples.num_rows), dtype=np.int32)
        yield {
            name: values.take(rows) if isinstance(values, RowsFile) else values[start : start + size]
            for name, values in examples.features.items()
        }


def gather(examples: Examples) -> "Callable[[tf.Tensor], Batch]":
    """A function that takes row numbers (B,) and returns these rows as a batch."""
    import tensorflow as tf

    if not examples.streamed:
        arrays = tensors(examples)
        return lambda rows_B: tf.nest.map_structure(lambda array: _rows(array, rows_B), arrays)
    rest = _tensors([examples.target, examples.weight])

    def take(rows_B: tf.Tensor) -> Batch:
        features = {name: _read(file, rows_B) for name, file in examples.features.items()}
        return features, *(tf.gather(array, rows_B) for array in rest)

    return take


def _read(file: Any, rows_B: "tf.Tensor") -> "tf.Tensor":
    """The rows with these numbers from a RowsFile."""
    import tensorflow as tf

    read = tf.numpy_function(file.take, [rows_B], file.dtype, stateful=False)
    return tf.ensure_shape(read, [*rows_B.shape, *file.shape])


def tensors(examples: Examples) -> Batch:
    """All rows as one batch on the device; the features must be in memory."""
    import tensorflow as tf

    assert not examples.streamed
    features = {name: tf.constant(values) for name, values in examples.features.items()}
    return features, *_tensors([examples.target, examples.weight])


def _tensors(arrays: list[NDArray[Any] | None]) -> "tuple[tf.Tensor, ...]":
    import tensorflow as tf

    return tuple(tf.constant(array) for array in arrays if array is not None)


def _rows(array: "tf.Tensor", rows_B: "tf.Tensor") -> "tf.Tensor":
    """The same as tf.gather. Each row is flattened first, because XLA copies a row faster when it is a single axis."""
    import tensorflow as tf

    taken = tf.gather(tf.reshape(array, [array.shape[0], -1]), rows_B)
    return tf.reshape(taken, [-1, *array.shape[1:]])
