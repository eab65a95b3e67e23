"""A plain Keras `fit` of the same model and features, in the same order, trains to the same.

The loop, loss, Adam, clipping, class weights and early stopping here are all Keras' own.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from pipeline.config import Config, EarlyStoppingConfig
from pipeline.data.order import epoch_order
from pipeline.data.sampling import TrainingData
from pipeline.model.assembly import assemble
from pipeline.tensorflow_process import start_session
from pipeline.tracking.journal import Journal
from pipeline.training import TRAINERS
from pipeline.training.fit import fit
from tests.contracts.test_families import config_of, features_of, rows_of, schema_of

PATIENCE = 2
CASES = [("linear", "number", "regression"), ("logistic", "number", "multiclass"), ("rnn", "image", "multiclass")]


def in_order(config: Config, *arrays: np.ndarray) -> tf.data.Dataset:
    """The batches of all epochs in the pipeline's order."""
    size, rows = config.trainer.batch_size, len(arrays[0])

    def batches() -> Iterator[tuple[np.ndarray, ...]]:
        for epoch in range(config.trainer.epochs):
            order = epoch_order(config.seed, epoch, rows)
            for start in range(0, rows, size):
                yield tuple(array[order[start : start + size]] for array in arrays)

    signature = tuple(tf.TensorSpec((None, *array.shape[1:]), array.dtype) for array in arrays)
    return tf.data.Dataset.from_generator(batches, output_signature=signature)


def config_for(case: tuple[str, str, str], clip_norm: float | None) -> Config:
    config = config_of(case[0], case[2])
    # few and small steps, before Adam has made a recurrent network's rounding visible
    config.trainer.epochs, config.trainer.optimizer.learning_rate = (25, 0.1) if case[1] == "number" else (4, 0.01)
    config.trainer.optimizer.clip_norm = clip_norm
    config.trainer.early_stopping = EarlyStoppingConfig(patience=PATIENCE)
    return config


def by_keras(config: Config, schema: Any) -> tuple[list[np.ndarray], dict[str, list[float]]]:
    start_session(config.trainer.tensorflow, config.seed)
    train, held_out = rows_of(schema, 1), rows_of(schema, 2)
    model = assemble(config, schema, train)
    net = keras.Model(model.core.inputs, model.core.outputs)
    settings = config.trainer.optimizer
    optimizer = keras.optimizers.Adam(settings.learning_rate, clipnorm=settings.clip_norm)
    loss: Any = "mse"
    if schema.classes:
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    net.compile(optimizer, loss)
    counts = np.bincount(train.target) if schema.classes else []
    class_weight = {k: len(train.target) / (len(counts) * count) for k, count in enumerate(counts)} or None
    x, y = features_of(model, train), model.head.training_target(train.target)
    history = net.fit(
        in_order(config, x, y),
        steps_per_epoch=-(-len(x) // config.trainer.batch_size),
        epochs=config.trainer.epochs,
        class_weight=class_weight,
        validation_data=(features_of(model, held_out), model.head.training_target(held_out.target)),
        callbacks=[keras.callbacks.EarlyStopping(patience=PATIENCE, restore_best_weights=True)],
        shuffle=False,
        verbose=0,
    )
    return model.core.get_weights(), history.history


@pytest.mark.parametrize("case", CASES, ids="-".join)
def test_plain_keras_trains_to_the_same(case: tuple[str, str, str], tmp_path: Path) -> None:
    schema = schema_of(*case[1:])
    weights = {}
    # Of the recurrent network, which takes long to compile, the longer way alone: clipping is the optimizer's, whose
    # variables are of any family.
    for clip_norm in (0.05, None) if case[1] == "number" else (0.05,):
        config = config_for(case, clip_norm)
        weights[clip_norm], expected = by_keras(config, schema)
        stopped_after = len(expected["loss"]) - 1
        if case[1] == "number" and clip_norm is None:
            assert int(np.argmin(expected["val_loss"])) < stopped_after < config.trainer.epochs - 1, "stopped early"
        for trainer in [name for name in TRAINERS if name != "exact"]:
            config.trainer.name, folder = trainer, tmp_path / f"{trainer} {clip_norm}"
            data = TrainingData(schema, rows_of(schema, 1), rows_of(schema, 2))
            model, history = fit(config, data, folder, Journal(folder / "journal.jsonl"))
            assert len(history) == len(expected["loss"]), trainer
            for name in ("loss", "val_loss"):
                found = [values[name] for values in history]
                np.testing.assert_allclose(found, expected[name], rtol=1e-4, atol=1e-5, err_msg=f"{trainer} {name}")
            for ours, theirs in zip(model.core.get_weights(), weights[clip_norm], strict=True):
                np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-5, err_msg=trainer)
    if case[1] == "number":
        clipped, free = (np.concatenate([w.ravel() for w in weights[norm]]) for norm in (0.05, None))
        assert np.abs(clipped - free).max() > 0.01, "clipping acts"
