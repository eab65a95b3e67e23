"""Early stopping that keeps the best epoch's weights (Prechelt 1998), as Keras' EarlyStopping does."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pipeline.config import EarlyStoppingConfig

if TYPE_CHECKING:
    import keras


def kept_epoch(val_losses: list[float], config: EarlyStoppingConfig) -> int:
    """The epoch (from 0) whose weights a training with these validation losses ends with."""
    kept, best = len(val_losses) - 1, float("inf")
    for i, val_loss in enumerate(val_losses if config.patience > 0 else []):
        if improves(val_loss, best, config):
            kept, best = i, val_loss
    return kept


def improves(val_loss: float, best: float, config: EarlyStoppingConfig) -> bool:
    """Whether a validation loss is better than the best before it by more than `min_delta`."""
    return val_loss < best - config.min_delta


class EarlyStopping:
    """Watches the validation loss and keeps the weights of the best epoch.

    `stopped` becomes true after `patience` epochs in which no loss was better than the best by more than `min_delta`.
    """

    def __init__(self, config: EarlyStoppingConfig, core: "keras.Model") -> None:
        self.active = config.patience > 0
        self.stopped = False
        self.best, self.best_epoch = float("inf"), 0
        self.weights: list[NDArray[np.float32]] = []
        self._config, self._core = config, core

    def epoch(self, epoch: int, val_loss: float) -> None:
        if not self.active:
            return
        if improves(val_loss, self.best, self._config):
            self.best, self.best_epoch = val_loss, epoch
            self.weights = self._core.get_weights()
        self.stopped = epoch - self.best_epoch >= self._config.patience

    def restore(self) -> None:
        """Put the best epoch's weights back."""
        if self.weights:
            self._core.set_weights(self.weights)
