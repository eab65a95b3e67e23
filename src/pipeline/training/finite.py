"""A training ends at once when its loss is no longer finite."""

import math

from pipeline.data.history import EpochValues
from pipeline.errors import ArtifactError


def check_finite(epoch: int, values: EpochValues, bad_step: int | None = None) -> None:
    """Raise ArtifactError once a loss is not finite, because to go on training would only waste time.

    `bad_step` (from 1) is the first step of the epoch whose training loss was not finite, where the trainer knows it.
    """
    for name in ("loss", "val_loss"):
        if not math.isfinite(values[name]):
            where = f"epoch {epoch}" + (f", step {bad_step}," if bad_step and name == "loss" else "")
            raise ArtifactError(
                f"{name} is {values[name]} in {where} at learning rate {values['learning_rate']:g}. Try a smaller "
                "trainer.optimizer.learning_rate, or trainer.optimizer.clip_norm=1. A checkpoint from before, if one "
                "was due (checkpoint.every_epochs, every_seconds), is kept."
            )
