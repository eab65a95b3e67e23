"""Early stopping that keeps the best epoch's weights (Prechelt 1998), as Keras' EarlyStopping does."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.config import EarlyStoppingConfig


class EarlyStopping:
    """Watches the validation loss; `stopped` once `patience` epochs brought none better by `min_delta`."""

    def __init__(self, config: EarlyStoppingConfig, core: Any) -> None:
        self.active = config.patience > 0
        self.stopped = False
        self._config, self._core = config, core
        self._best, self._best_epoch = float("inf"), 0
        self._weights: list[NDArray[np.float32]] | None = None

    def epoch(self, epoch: int, val_loss: float) -> None:
        if not self.active:
            return
        if val_loss < self._best - self._config.min_delta:
            self._best, self._best_epoch = val_loss, epoch
            self._weights = self._core.get_weights()
        self.stopped = epoch - self._best_epoch >= self._config.patience

    def restore(self) -> None:
        """Put the best epoch's weights back."""
        if self._weights is not None:
            self._core.set_weights(self._weights)
