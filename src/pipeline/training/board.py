"""What TensorBoard is shown of a training: its values, and now and then a look at the model."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pipeline.data.history import EpochValues
from pipeline.data.schema import Schema
from pipeline.tracking.tensorboard import TensorBoardWriter, confusion_counts
from pipeline.training.batches import feature_batches
from pipeline.training.early_stopping import kept_epoch
from pipeline.training.job import Job

if TYPE_CHECKING:
    import keras
    import tensorflow as tf


class Board:
    """Writes an epoch's values and, every so many epochs, histograms of the weights and a confusion matrix of the
    validation rows.

    It must be made before `speed_up` (model/xla) changes what the core's layers compute with.
    """

    def __init__(self, writer: TensorBoardWriter, job: Job, schema: Schema) -> None:
        self._writer, self._job, self._classes = writer, job, schema.classes
        # This is a graph of Keras' own layers, whatever the trainer computes with. To call the core layer by layer
        # instead would take ten times as long.
        self._forward = traced(job.core)
        self._histograms_every, confusion = job.config.tensorboard.spaced(job.config.epochs)
        self._confusion_every = confusion if schema.classes else 0

    @property
    def looks_every(self) -> tuple[int, int]:
        """After how many epochs the board looks at the weights: for histograms, and for a confusion matrix (0:
        never)."""
        return self._histograms_every, self._confusion_every

    def describe(self, params: dict[str, Any]) -> None:
        """Write what is the same in every epoch: the hyperparameters and the graph of the model."""
        self._writer.hparams(params)
        self._writer.graph(self._forward.graph)

    def epoch(self, epoch: int, values: EpochValues) -> None:
        """Write one epoch's values (epochs from 1), and look at the model if it is time to."""
        self._writer.scalars(epoch, values)
        if _due(epoch, self._histograms_every):
            self._writer.histograms(epoch, self._job.core)
        if _due(epoch, self._confusion_every):
            self._writer.confusion(epoch, self._confusion(), self._classes)

    def flush(self) -> None:
        self._writer.flush()

    def close(self, history: list[EpochValues]) -> None:
        """Write the values of the epoch whose weights are kept, as far as the training has come, and close."""
        if history:
            kept = kept_epoch([values["val_loss"] for values in history], self._job.config.early_stopping)
            self._writer.kept(kept + 1, history[kept])
        self._writer.close()

    def _confusion(self) -> NDArray[np.int64]:
        import tensorflow as tf

        validation = self._job.validation
        batches = feature_batches(validation)
        logits = np.concatenate(
            [np.asarray(self._forward(tf.nest.map_structure(tf.constant, batch))) for batch in batches]
        )
        predicted = self._job.head.task.chosen_class(logits)
        return confusion_counts(validation.target.reshape(-1), predicted, len(self._classes))


def traced(core: "keras.Model") -> "tf.types.experimental.ConcreteFunction":
    """The core as one graph that takes any number of rows of features and returns its outputs."""
    import tensorflow as tf

    run = tf.function(lambda features: core(features, training=False), autograph=False)
    signature = {name: tf.TensorSpec((None, *x.shape[1:]), x.dtype) for name, x in core.input.items()}
    return run.get_concrete_function(signature)


def _due(epoch: int, every: int) -> bool:
    return every > 0 and epoch % every == 0
