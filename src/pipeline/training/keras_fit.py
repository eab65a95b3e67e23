"""The trainer `keras`: `Model.fit` on a tf.data pipeline whose order is a function of (seed, epoch)."""

from typing import Any

import numpy as np

from pipeline.data.order import epoch_order
from pipeline.training.job import EpochValues, Examples, Job
from pipeline.training.optimizers import build_optimizer
from pipeline.training.seeding import reseed, seed_generators

EVALUATION_BATCH = 1024


def train(job: Job) -> None:
    """Train `job.core` in place."""
    import keras

    config = job.config
    steps = job.steps_per_epoch
    # compiled apart from the core, whose saved configuration must not name what it was trained with
    inputs = keras.Input(job.core.input_shape[1:])
    features = job.augment(inputs) if job.augment is not None else inputs
    model = keras.Model(inputs, job.core(features))
    optimizer = build_optimizer(config.optimizer, steps * config.epochs)
    optimizer.build(job.core.trainable_variables)
    model.compile(
        optimizer=optimizer,
        loss=job.head.loss(),
        metrics=[job.head.new_metric()],
        steps_per_execution=steps,
        jit_compile=job.xla,
    )
    done = job.life.begin(optimizer)
    if done < config.epochs and not job.life.stopped:
        model.fit(
            _batches(job, done),
            steps_per_epoch=steps,
            initial_epoch=done,
            epochs=config.epochs,
            validation_data=_whole(job.validation),
            callbacks=[_epoch_callback(job)],
            shuffle=False,
            verbose=0,
        )
    job.life.end()


def _batches(job: Job, done: int) -> Any:
    """The batches of every epoch from `done` on, one after another; the last batch of an epoch may be short."""
    import tensorflow as tf

    arrays = _tensors(job.train)
    num_rows = job.train.num_rows

    def order(epoch: Any) -> Any:
        indices = tf.numpy_function(
            lambda e: epoch_order(job.seed, int(e), num_rows), [epoch], tf.int32, stateful=False
        )
        indices.set_shape([num_rows])
        return tf.data.Dataset.from_tensor_slices(indices).batch(job.config.batch_size)

    epochs = tf.data.Dataset.range(done, job.config.epochs).flat_map(order)
    batches = epochs.map(lambda rows: tuple(tf.gather(array, rows) for array in arrays))
    return batches.prefetch(tf.data.AUTOTUNE)


def _whole(examples: Examples) -> Any:
    import tensorflow as tf

    return tf.data.Dataset.from_tensor_slices(_tensors(examples)).batch(EVALUATION_BATCH).cache()


def _tensors(examples: Examples) -> tuple[Any, ...]:
    import tensorflow as tf

    arrays = [examples.features, examples.target]
    if examples.weight is not None:
        arrays.append(examples.weight)
    return tuple(tf.constant(array) for array in arrays)


def _epoch_callback(job: Job) -> Any:
    import keras

    generators = seed_generators(job.layers_with_seeds)

    class EpochCallback(keras.callbacks.Callback):  # type: ignore[misc]
        """Reseeds before an epoch and reports after it."""

        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            reseed(generators, job.seed, epoch)
            job.life.begin_epoch()

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            values: EpochValues = {name: float(logs[name]) for name in job.value_names[:-1]}
            values["learning_rate"] = float(np.asarray(self.model.optimizer.learning_rate))
            job.life.epoch(values)
            job.life.rest()
            self.model.stop_training = job.life.stopped

    return EpochCallback()
