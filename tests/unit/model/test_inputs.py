"""What a model learns from columns and does with them: numbers of any scale are standardised as scikit-learn does."""

from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.metrics import r2_score
from sklearn.preprocessing import StandardScaler

from pipeline.data.prepared import Split
from pipeline.data.sampling import TrainingData
from pipeline.data.schema import Schema
from pipeline.serving.archive import load_served, save_canonical
from pipeline.tracking.journal import Journal
from pipeline.training.fit import fit
from tests.contracts.test_families import config_of
from tests.made import array_of, image, inputs_of, number, preprocessing, split_of

LARGEST = float(np.finfo(np.float32).max)
ROWS = 200


def schema_of(names: list[str]) -> Schema:
    return Schema("made", "regression", "hash", [number(name) for name in names], "target", [])


def layers_for(schema: Schema, split: Split) -> keras.Model:
    keras.backend.clear_session()
    return preprocessing(schema, split)


def answers(model: keras.Model, schema: Schema, split: Split) -> np.ndarray:
    return np.asarray(model(inputs_of(schema, split)))


def normal(scale: float, offset: float = 0.0, seed: int = 0) -> np.ndarray:
    return offset + scale * np.random.default_rng(seed).normal(size=ROWS)


@pytest.mark.parametrize(
    "column",
    [
        normal(1.0),
        normal(1e-9),
        normal(1e-30),
        normal(1e-37),
        normal(1e30),
        normal(1e100),
        normal(1.0, offset=1e6),
        np.where(np.arange(ROWS) % 2, LARGEST, -LARGEST),
        np.where(np.arange(ROWS), LARGEST, -LARGEST),
        np.where(np.arange(ROWS) == 7, 1e-20, 0),
    ],
    ids=["1", "1e-9", "1e-30", "1e-37", "1e30", "1e100", "offset", "largest", "largest but one", "rare"],
)
def test_any_scale_is_scikit_learns(column: np.ndarray, tmp_path: Path) -> None:
    split = split_of({"x": column, "other": normal(3.0, seed=1)})
    schema = schema_of(["x", "other"])
    model = layers_for(schema, split)
    raw = np.stack([array_of(split, name) for name in ("x", "other")], axis=1)
    # scikit-learn takes a deviation below ten rounding errors for 0: it gets numbers that are not as small
    scale = np.abs(raw).max(axis=0)
    expected = StandardScaler().fit_transform(raw / scale)
    found = answers(model, schema, split)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)
    save_canonical(model, schema, tmp_path / "model.keras")
    np.testing.assert_array_equal(answers(load_served(tmp_path / "model.keras"), schema, split), found)


@pytest.mark.parametrize("value", [0.0, 0.1, 1e-30, 1e30, -LARGEST])
def test_a_constant_column_is_centred_and_not_stretched(value: float) -> None:
    schema = schema_of(["x", "other"])
    model = layers_for(schema, split_of({"x": np.full(ROWS, value), "other": normal(1.0)}))
    asked = split_of({"x": np.array([value, value + 5.0]), "other": np.zeros(2)})
    np.testing.assert_allclose(answers(model, schema, asked)[:, 0], [0.0, value + 5.0 - value], rtol=1e-6)


def test_numbers_that_tensorflow_reads_as_0_are_0_in_training_too() -> None:
    schema = schema_of(["x", "other"])
    model = layers_for(schema, split_of({"x": np.arange(ROWS) * 1e-320, "other": normal(1.0)}))
    assert answers(model, schema, split_of({"x": np.array([3.0]), "other": np.zeros(1)}))[0, 0] == 3.0


@pytest.mark.parametrize("largest", [16.0, 1e-38, LARGEST, 0.0])
def test_pixels_of_any_scale(largest: float) -> None:
    keras.backend.clear_session()
    pixels = (largest * np.random.default_rng(0).uniform(0, 1, (5, 2, 2, 1))).astype(np.float32)
    pixels[0, 0, 0, 0] = largest
    schema = Schema("made", "regression", "hash", [image("image", [2, 2, 1])], "target", [])
    split = split_of({"image": pixels})
    found = answers(layers_for(schema, split), schema, split)
    expected = pixels.astype(np.float64) / (float(np.float32(largest)) or 1.0)
    # kernels of TensorFlow read numbers below 1.2e-38 as 0
    np.testing.assert_allclose(np.where(pixels < 1.2e-38, 0, found), np.where(pixels < 1.2e-38, 0, expected), rtol=1e-6)


@pytest.mark.parametrize("trainer", ["compiled", "keras", "exact"])
def test_a_column_that_is_constant_in_training_says_nothing(trainer: str, tmp_path: Path) -> None:
    random = np.random.default_rng(6)
    x = random.normal(size=ROWS)
    schema = schema_of(["x", "constant"])
    train = split_of({"x": x, "constant": np.full(ROWS, 3.0)}, x + random.normal(size=ROWS))
    config = config_of("linear", "regression")
    config.trainer.name = trainer
    model, _ = fit(config, TrainingData(schema, train, train), tmp_path, Journal(tmp_path / "journal.jsonl"))
    known, new = (
        answers(model.served, schema, split_of({"x": x, "constant": np.full(ROWS, value)})) for value in (3.0, 500.0)
    )
    np.testing.assert_array_equal(known, new)


@pytest.mark.parametrize("units", [1.0, 1e-12, 1e-9, 1e12, 1e19])
@pytest.mark.parametrize("trainer", ["exact", "compiled"])
def test_r2_does_not_depend_on_the_units_of_the_features(trainer: str, units: float, tmp_path: Path) -> None:
    """With a rare indicator, which is constant in training and not in the rows to predict."""
    random = np.random.default_rng(5)
    x = random.normal(size=(ROWS, 3))
    target = (x @ [1.0, -2.0, 0.5] + 0.2 * random.normal(size=ROWS)).astype(np.float32)
    columns = {f"x{i}": x[:, i] * units for i in range(3)}
    config = config_of("linear", "regression")
    config.trainer.name, config.trainer.epochs = trainer, 100
    train = split_of(columns | {"rare": np.zeros(ROWS)}, target)
    schema = schema_of(list(train.table.column_names))
    model, _ = fit(config, TrainingData(schema, train, train), tmp_path, Journal(tmp_path / "journal.jsonl"))
    rare = split_of(columns | {"rare": (np.arange(ROWS) == 3).astype(float)}, target)
    found = r2_score(target, answers(model.served, schema, rare)[:, 0])
    expected = r2_score(target, LinearRegression().fit(x, target).predict(x))
    assert found == pytest.approx(expected, abs=1e-4 if trainer == "exact" else 0.02)


def test_channels_of_images_may_be_standardised() -> None:
    values = np.random.default_rng(3).integers(0, 256, (ROWS, 4, 5, 3)) * [1.0, 0.1, 0.0] + [0.0, 100.0, 7.0]
    column = image("x", [4, 5, 3])
    column = replace(column, config=replace(column.config, scale="standard"))
    split, schema = split_of({"x": values}), Schema("made", "regression", "hash", [column], "target", [])
    found = answers(preprocessing(schema, split), schema, split)
    flat = values.reshape(-1, 3)
    expected = (flat - flat.mean(axis=0)) / np.maximum(flat.std(axis=0), 1e-3)
    np.testing.assert_allclose(found.reshape(-1, 3), expected, atol=1e-4)
