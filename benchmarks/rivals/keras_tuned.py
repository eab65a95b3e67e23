"""keras fit on a cached, shuffled, prefetched tf.data pipeline, with a whole epoch an execution."""

import keras
import tensorflow as tf

from rivals.cases import Case, serve
from rivals.keras_numpy import Clock, build, loss_and_metric


def train(case: Case) -> list[float]:
    keras.backend.clear_session()
    keras.utils.set_random_seed(1)
    clock = Clock()
    model = build(case)
    loss, metric = loss_and_metric(case)
    steps = -(-case.rows // case.batch_size)
    model.compile(
        optimizer=keras.optimizers.Adam(case.learning_rate),
        loss=loss,
        metrics=[metric],
        steps_per_execution=steps,
        jit_compile=False,
    )
    rows = tf.data.Dataset.from_tensor_slices(case.data(0)).cache().shuffle(case.rows).batch(case.batch_size)
    held_out = tf.data.Dataset.from_tensor_slices(case.data(1)).batch(1024).cache()
    model.fit(
        rows.repeat().prefetch(tf.data.AUTOTUNE),
        steps_per_epoch=steps,
        epochs=case.rival_epochs,
        validation_data=held_out,
        verbose=0,
        callbacks=[clock],
    )
    return clock.times


if __name__ == "__main__":
    serve(train)
