"""What happens around the epochs of every trainer: resuming, history, early stopping, callbacks and checkpoints."""

import time
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from pipeline.config import CheckpointConfig
from pipeline.data.history import EpochValues, GivenUp
from pipeline.training.callbacks import build_callbacks, check_monitors, check_rate_is_settable, restore_state, state_of
from pipeline.training.checkpoint import Checkpoint, Checkpoints
from pipeline.training.early_stopping import EarlyStopping
from pipeline.training.interrupts import Interrupts
from pipeline.training.job import Job
from pipeline.training.observer import Observer
from pipeline.training.pruning import Judge, judge_history

if TYPE_CHECKING:
    import keras


class Lifecycle:
    """What a trainer calls around its epochs, so that all of this is the same under every trainer.

    A trainer calls `begin` once, then `begin_epoch` and `end_epoch` for each epoch, and `end` once. It calls
    `checkpoint_if_due` whenever the core has the weights of the last epoch that was reported. `stopped` says that no
    further epoch is wanted.
    """

    def __init__(
        self,
        job: Job,
        cadence: CheckpointConfig,
        observer: Observer,
        checkpoints: Checkpoints,
        interrupts: Interrupts,
        judge: Judge | None = None,
    ) -> None:
        """Raises ConfigError for a callback that watches a value which no epoch has, or that sets the learning rate
        where a schedule sets it too."""
        self._core, self._observer, self._checkpoints = job.core, observer, checkpoints
        self._cadence, self._interrupts = cadence, interrupts
        self._judge, self._given_up, self._epochs = judge, False, job.config.epochs
        self._stopping = EarlyStopping(job.config.early_stopping, job.core)
        self._callbacks = build_callbacks(job.config.callbacks)
        check_monitors(self._callbacks, job.value_names)
        check_rate_is_settable(self._callbacks, job.config.optimizer.schedule)
        self._optimizer: keras.optimizers.Optimizer | None = None
        self._model: keras.Model | None = None
        self._enough = False
        self._saved_epoch = self._epoch = checkpoints.start.epoch if checkpoints.start else 0
        self._saved_at = time.monotonic()

    @property
    def stopped(self) -> bool:
        by_callback = self._model is not None and self._model.stop_training
        return self._enough or self._stopping.stopped or bool(by_callback)

    def stop(self) -> None:
        """Say that no further epoch is wanted, because none would change anything."""
        self._enough = True

    def begin(self, optimizer: "keras.optimizers.Optimizer | None" = None) -> int:
        """Put what a checkpoint holds back into the core, the callbacks and `optimizer`, which must be built already.

        Returns how many epochs are already done.
        """
        self._optimizer = optimizer
        if self._callbacks:
            self._model = self._model_for_callbacks()
        for callback in self._callbacks:
            callback.set_model(self._model)
            callback.set_params({"epochs": None, "steps": None, "verbose": 0})
            callback.on_train_begin()
            # A callback that no checkpoint could hold is refused here, and not only at the first save, epochs later.
            state_of(callback, [])
        if self._checkpoints.start is not None:
            self._restore(self._checkpoints.start)
        # The epoch in which a training has stopped was not judged, and is not now.
        judge_history(self._judge, self._observer.history, self._epoch if self.stopped else self._epochs)
        return self._epoch

    def epochs_until_look(self) -> int:
        """How many epochs may pass before early stopping, a callback, a checkpoint, the board or the judge needs the
        weights."""
        if self._stopping.active or self._callbacks or self._judge:
            return 1
        due = [self._cadence.every_epochs, *self._observer.looks_every]
        return min((every - self._epoch % every for every in due if every), default=2**31)

    def begin_epoch(self) -> None:
        for callback in self._callbacks:
            callback.on_epoch_begin(self._epoch)

    def end_epoch(self, values: EpochValues, bad_step: int | None = None) -> None:
        """Take in the values of the epoch that has ended; `bad_step` is the first step (from 1) whose loss was not
        finite."""
        self._epoch += 1
        self._observer.epoch(self._epoch, values, bad_step)
        self._stopping.epoch(self._epoch, values["val_loss"])
        for callback in self._callbacks:
            callback.on_epoch_end(self._epoch - 1, dict(values))
        # A training that has come to its end anyway is not given up.
        if self._judge is not None and self._epoch < self._epochs and not self.stopped:
            self._given_up = self._judge(self._epoch, values)

    def checkpoint_if_due(self) -> None:
        """Save a checkpoint if it is time to. If Ctrl-C or SIGTERM came, save and then raise KeyboardInterrupt; if the
        judge has given this training up, save and then raise GivenUp."""
        if self._interrupts.requested or self._given_up or self._is_due():
            self._observer.flush()
            self._checkpoints.save(self._capture())
            self._saved_epoch, self._saved_at = self._epoch, time.monotonic()
        if self._interrupts.requested:
            raise KeyboardInterrupt
        if self._given_up:
            raise GivenUp(self._epoch, self._observer.history)

    def end(self) -> None:
        """End the training: with early stopping, the core gets the weights of the best epoch."""
        for callback in self._callbacks:
            callback.on_train_end()
        self._stopping.restore()

    def _is_due(self) -> bool:
        every = self._cadence.every_epochs
        by_epochs = every > 0 and self._epoch // every > self._saved_epoch // every
        return by_epochs or time.monotonic() - self._saved_at >= self._cadence.every_seconds

    def _model_for_callbacks(self) -> "keras.Model":
        import keras

        model = keras.Model(self._core.inputs, self._core.outputs)
        if self._optimizer is not None:
            model.compile(optimizer=self._optimizer)
        model.stop_training = False
        return model

    def _capture(self) -> Checkpoint:
        stopping = self._stopping
        callback_arrays: list[NDArray[Any]] = []
        values = {
            "history": self._observer.history,
            "stopping": {"best": stopping.best, "best_epoch": stopping.best_epoch, "stopped": stopping.stopped},
            "callbacks": [state_of(callback, callback_arrays) for callback in self._callbacks],
            "stop_training": self._model is not None and self._model.stop_training,
            "enough": self._enough,
        }
        optimizer = self._optimizer.variables if self._optimizer is not None else []
        arrays = {
            "weights": self._core.get_weights(),
            "optimizer": [variable.numpy() for variable in optimizer],
            "best": stopping.weights,
            "callbacks": callback_arrays,
        }
        return Checkpoint(self._epoch, values, arrays)

    def _restore(self, saved: Checkpoint) -> None:
        self._core.set_weights(saved.arrays["weights"])
        if self._optimizer is not None:
            for variable, value in zip(self._optimizer.variables, saved.arrays["optimizer"], strict=True):
                variable.assign(value)
        stopping = saved.values["stopping"]
        self._stopping.best, self._stopping.best_epoch = stopping["best"], stopping["best_epoch"]
        self._stopping.stopped, self._stopping.weights = stopping["stopped"], saved.arrays.get("best", [])
        for callback, state in zip(self._callbacks, saved.values["callbacks"], strict=True):
            restore_state(callback, state, saved.arrays.get("callbacks", []))
        self._enough = saved.values["enough"]
        if self._model is not None:
            self._model.stop_training = saved.values["stop_training"]
