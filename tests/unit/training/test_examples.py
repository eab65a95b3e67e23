"""What a row weighs, and how many rows are evaluated at once."""

import keras
import numpy as np
from sklearn.utils.class_weight import compute_sample_weight

from pipeline.training.examples import class_weights, rows_at_once


def test_balanced_weights_are_scikit_learns() -> None:
    target = np.array([0, 0, 0, 1, 2, 2])
    np.testing.assert_allclose(class_weights(target, 3), compute_sample_weight("balanced", target), rtol=1e-6)


def test_fewer_rows_are_evaluated_at_once_where_a_layer_is_wide() -> None:
    inputs = keras.Input((4, 4, 2))

    def core(filters: int) -> keras.Model:
        return keras.Model(inputs, keras.layers.Conv2D(filters, 3, padding="same")(inputs))

    assert rows_at_once(core(8), 32) == 1024
    assert rows_at_once(core(2**14), 32) == 64, "2**20 bytes a row"
    assert rows_at_once(core(2**14), 100) == 100, "as in training"
    assert rows_at_once(core(2**14), 2048) == 1024
