"""Which epoch's weights a training ends with."""

import keras
import pytest

from pipeline.config import EarlyStoppingConfig
from pipeline.training.early_stopping import EarlyStopping, kept_epoch


@pytest.mark.parametrize(
    ("losses", "patience", "min_delta", "kept"),
    [([3.0, 1.0, 2.0], 0, 0.0, 2), ([3.0, 1.0, 2.0], 2, 0.0, 1), ([3.0, 2.95, 2.0, 1.99], 3, 0.1, 2)],
)
def test_the_kept_epoch_is_early_stoppings(losses: list[float], patience: int, min_delta: float, kept: int) -> None:
    config = EarlyStoppingConfig(patience=patience, min_delta=min_delta)
    core = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    stopping = EarlyStopping(config, core)
    for epoch, loss in enumerate(losses, start=1):
        stopping.epoch(epoch, loss)
    assert kept_epoch(losses, config) == kept
    assert patience == 0 or stopping.best_epoch == kept + 1
