"""A loss that is not a number ends a training with what to try."""

import pytest

from pipeline.errors import ArtifactError
from pipeline.training.finite import check_finite


def test_loss_that_is_not_finite_stops_with_what_to_try() -> None:
    with pytest.raises(ArtifactError, match=r"loss is nan in epoch 4 at learning rate 0.5. Try a smaller"):
        check_finite(4, {"loss": float("nan"), "val_loss": 1.0, "learning_rate": 0.5})
