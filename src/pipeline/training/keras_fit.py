"""The trainer `keras`: `Model.fit` on a tf.data pipeline whose order is a function of (seed, epoch)."""

from typing import TYPE_CHECKING

import numpy as np

from pipeline.config import TrainerConfig
from pipeline.data.history import EpochValues
from pipeline.training.batches import in_order, shuffled
from pipeline.training.job import Job
from pipeline.training.lifecycle import Lifecycle
from pipeline.training.optimizers import build_optimizer
from pipeline.training.seeding import reseed, seed_generators
from pipeline.training.trainer import Trainer

if TYPE_CHECKING:
    import keras


def train(job: Job, lifecycle: Lifecycle) -> None:
    """Train `job.core` in place."""
    import keras

    config = job.config
    steps = job.steps_per_epoch
    # A model around the core is compiled, and not the core itself, because the configuration that is saved with the
    # core must not name what it was trained with.
    inputs = {name: keras.Input(x.shape[1:], dtype=x.dtype, name=name) for name, x in job.core.input.items()}
    features = job.augment(inputs) if job.augment is not None else inputs
    model = keras.Model(inputs, job.core(features))
    optimizer = build_optimizer(config.optimizer, steps * config.epochs)
    optimizer.build(job.core.trainable_variables)
    model.compile(
        optimizer=optimizer,
        loss=job.head.loss(),
        metrics=[job.head.new_metric()],
        steps_per_execution=steps,
        jit_compile=False,
    )
    done = lifecycle.begin(optimizer)
    if done < config.epochs and not lifecycle.stopped:
        model.fit(
            shuffled(job, done),
            steps_per_epoch=steps,
            initial_epoch=done,
            epochs=config.epochs,
            validation_data=in_order(job.validation, range(job.validation.num_rows), job.validation.at_once),
            callbacks=[_epoch_callback(job, lifecycle)],
            shuffle=False,
            verbose=0,
        )
    lifecycle.end()


def _epoch_callback(job: Job, lifecycle: Lifecycle) -> "keras.callbacks.Callback":
    import keras

    generators = seed_generators(job.layers_with_seeds)

    class EpochCallback(keras.callbacks.Callback):  # type: ignore[misc]
        """Seeds the generators before each epoch, and reports its values to the lifecycle after it."""

        def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
            reseed(generators, job.seed, epoch)
            lifecycle.begin_epoch()

        def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
            values: EpochValues = {name: float(logs[name]) for name in job.value_names[:-1]}
            values["learning_rate"] = float(np.asarray(self.model.optimizer.learning_rate))
            lifecycle.end_epoch(values)
            lifecycle.checkpoint_if_due()
            self.model.stop_training = lifecycle.stopped

    return EpochCallback()


# Keras' `fit` does not use XLA, without saying so, when operations are to be deterministic.
TRAINER = Trainer(TrainerConfig, train)
