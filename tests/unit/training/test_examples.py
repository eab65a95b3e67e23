"""Class weights, seeding, history and the journal."""

import keras
import numpy as np
import pytest
from sklearn.utils.class_weight import compute_sample_weight

from pipeline.config import EarlyStoppingConfig
from pipeline.data.history import write_history
from pipeline.errors import ArtifactError
from pipeline.training.early_stopping import EarlyStopping, kept_epoch
from pipeline.training.examples import class_weights, rows_at_once
from pipeline.training.finite import check_finite
from pipeline.training.seeding import reseed, seed_generators


def test_balanced_weights_are_scikit_learns() -> None:
    target = np.array([0, 0, 0, 1, 2, 2])
    np.testing.assert_allclose(class_weights(target, 3), compute_sample_weight("balanced", target), rtol=1e-6)


def test_dropout_depends_on_seed_and_epoch_alone() -> None:
    inputs = keras.Input((8,))
    core = keras.Model(inputs, keras.layers.Dropout(0.5)(keras.layers.Dropout(0.5)(inputs)))
    generators = seed_generators((core,))
    assert len(generators) == 2
    x = np.ones((4, 8), np.float32)

    def drawn(seed: int, epoch: int) -> np.ndarray:
        reseed(generators, seed, epoch)
        return np.asarray(core(x, training=True))

    first = drawn(1, 3)
    assert (drawn(1, 4) != first).any()
    assert (drawn(2, 3) != first).any()
    assert (drawn(1, 3) == first).all()


def test_history_keeps_every_bit(tmp_path) -> None:
    epochs = [{"loss": 0.1 + 0.2, "val_loss": 1 / 3}, {"loss": 1e-17, "val_loss": 2.0}]
    write_history(tmp_path / "history.csv", epochs)
    header, *rows = (tmp_path / "history.csv").read_text().splitlines()
    assert header == "epoch,loss,val_loss"
    assert [float(v) for v in rows[0].split(",")] == [1, 0.1 + 0.2, 1 / 3]


def test_loss_that_is_not_finite_stops_with_what_to_try() -> None:
    with pytest.raises(ArtifactError, match=r"loss is nan in epoch 4 at learning rate 0.5. Try a smaller"):
        check_finite(4, {"loss": float("nan"), "val_loss": 1.0, "learning_rate": 0.5})


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


def test_fewer_rows_are_evaluated_at_once_where_a_layer_is_wide() -> None:
    inputs = keras.Input((4, 4, 2))

    def core(filters: int) -> keras.Model:
        return keras.Model(inputs, keras.layers.Conv2D(filters, 3, padding="same")(inputs))

    assert rows_at_once(core(8), 32) == 1024
    assert rows_at_once(core(2**14), 32) == 64, "2**20 bytes a row"
    assert rows_at_once(core(2**14), 100) == 100, "as in training"
    assert rows_at_once(core(2**14), 2048) == 1024
