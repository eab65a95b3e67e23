"""Everything that watches a training, called once after each epoch."""

from typing import Any

import numpy as np

from pipeline.data.history import EpochValues
from pipeline.data.schema import Schema
from pipeline.model.assembly import Assembled
from pipeline.tracking.journal import Journal
from pipeline.tracking.tensorboard import TensorBoardWriter, confusion_counts
from pipeline.training.batches import feature_batches
from pipeline.training.finite import check_finite
from pipeline.training.job import Examples
from pipeline.training.progress import Progress


class Observer:
    """Keeps the history and passes each epoch on to journal, progress bar and TensorBoard.

    `board` is None when an earlier run of this identity has finished: what it wrote stands. `every`: epochs between
    histograms and between confusion matrices. `history` holds the epochs that a resumed training has behind it.
    """

    def __init__(
        self,
        model: Assembled,
        schema: Schema,
        validation: Examples,
        journal: Journal,
        progress: Progress,
        board: TensorBoardWriter | None,
        every: tuple[int, int],
        history: list[EpochValues],
    ) -> None:
        self.history = history
        self._model, self._schema, self._validation = model, schema, validation
        self._journal, self._progress, self._board = journal, progress, board
        # of Keras' own layers, whatever the trainer computes with; layer by layer takes ten times as long
        self._forward: Any = traced(model.core) if board else None
        self._histograms_every, confusion = every
        self._confusion_every = confusion if schema.classes else 0

    @property
    def looks_every(self) -> tuple[int, ...]:
        """After so many epochs it looks at the weights (0: never)."""
        return (self._histograms_every, self._confusion_every) if self._board else ()

    def describe(self, params: dict[str, Any]) -> None:
        """Tell TensorBoard what is the same in every epoch."""
        if self._board is not None:
            self._board.hparams(params)
            self._board.graph(self._forward.graph)

    def epoch(self, epoch: int, values: EpochValues, bad_step: int | None = None) -> None:
        """Take in one epoch's values (epochs from 1); raises ArtifactError when the loss is not finite."""
        check_finite(epoch, values, bad_step)
        self.history.append(values)
        self._journal.metrics(epoch, values)
        self._progress.epoch(epoch, values)
        if self._board is None:
            return
        self._board.scalars(epoch, values)
        if _due(epoch, self._histograms_every):
            self._board.histograms(epoch, self._model.core)
        if _due(epoch, self._confusion_every):
            self._board.confusion(epoch, self._confusion(), self._schema.classes)

    def flush(self) -> None:
        """Everything that was observed is on disk: before a checkpoint, which says that these epochs are done."""
        self._journal.flush()
        if self._board is not None:
            self._board.flush()

    def _confusion(self) -> Any:
        import tensorflow as tf

        batches = feature_batches(self._validation)
        logits = np.concatenate([np.asarray(self._forward(tf.constant(batch))) for batch in batches])
        predicted = logits.argmax(axis=1) if logits.shape[1] > 1 else (logits[:, 0] > 0).astype(int)
        return confusion_counts(self._validation.target.reshape(-1), predicted, len(self._schema.classes))


def traced(core: Any) -> Any:
    """The core as one graph, from any number of rows to its outputs."""
    import tensorflow as tf

    run = tf.function(lambda features: core(features, training=False), autograph=False)
    return run.get_concrete_function(tf.TensorSpec((None, *core.input_shape[1:]), tf.float32))


def _due(epoch: int, every: int) -> bool:
    return every > 0 and epoch % every == 0
