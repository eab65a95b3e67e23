"""keras fit on numpy arrays, as a newcomer writes it."""

import os
import time
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras

from rivals.cases import Case, serve


def build(case: Case) -> Any:
    """The same layers as ours, compiled."""
    x = inputs = keras.Input(case.shape)
    if case.family == "cnn":
        every = case.model.get("pool_every", 1)
        last = len(case.model["filters"]) - 1
        for i, filters in enumerate(case.model["filters"]):
            x = keras.layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
            x = keras.layers.ReLU()(keras.layers.BatchNormalization()(x))
            if i != last and (i + 1) % every == 0:
                x = keras.layers.MaxPooling2D(2)(x)
        x = keras.layers.GlobalAveragePooling2D()(x)
    elif case.family == "rnn":
        cells = {"simple": keras.layers.SimpleRNN, "lstm": keras.layers.LSTM, "gru": keras.layers.GRU}
        for units in case.model["units"]:
            x = cells[case.model["cell"]](units)(x)
    outputs = keras.layers.Dense(case.classes if case.classes > 2 else 1)(x)
    return keras.Model(inputs, outputs)


def loss_and_metric(case: Case) -> tuple[Any, Any]:
    if case.classes == 0:
        return keras.losses.MeanSquaredError(), "mae"
    if case.classes == 2:
        return keras.losses.BinaryCrossentropy(from_logits=True), keras.metrics.BinaryAccuracy(threshold=0.0)
    return keras.losses.SparseCategoricalCrossentropy(from_logits=True), "accuracy"


class Clock(keras.callbacks.Callback):
    def __init__(self) -> None:
        super().__init__()
        self.times = [time.perf_counter()]

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.times.append(time.perf_counter())


def train(case: Case) -> list[float]:
    keras.backend.clear_session()
    keras.utils.set_random_seed(1)
    clock = Clock()
    model = build(case)
    loss, metric = loss_and_metric(case)
    model.compile(optimizer=keras.optimizers.Adam(case.learning_rate), loss=loss, metrics=[metric])
    train_rows, held_out = case.data(0), case.data(1)
    model.fit(
        *train_rows,
        batch_size=case.batch_size,
        epochs=case.rival_epochs,
        validation_data=held_out,
        verbose=0,
        callbacks=[clock],
    )
    return clock.times


if __name__ == "__main__":
    serve(train)
