"""One checklist for what a model does with columns of each type, with and without missing values."""

import datetime
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pyarrow as pa
import pytest
import tensorflow as tf

from pipeline.config import PreprocessingConfig
from pipeline.data.prepared import Split
from pipeline.data.schema import Column, Schema
from pipeline.data.types import TYPES
from pipeline.model.assembly import assemble, by_feature, raw_inputs
from pipeline.model.inputs import INPUTS
from pipeline.model.inputs.features import build_features
from pipeline.model.inputs.text import words
from pipeline.serving.archive import load_served, save_canonical
from pipeline.serving.batch import predict
from tests.contracts.test_families import config_of
from tests.made import inputs_of

ROWS = 60
DAY = datetime.date(2024, 2, 1)
# values in the storage of each type, and one that no training row has
VALUES = {
    "boolean": ([True, False, True], True),
    "category": (["red", "green", "blue", "red"], "purple"),
    "date": ([DAY + datetime.timedelta(days=30 * i) for i in range(20)], datetime.date(1970, 1, 1)),
    "datetime": (
        [datetime.datetime(2024, 2, 1, 12) + datetime.timedelta(hours=7 * i) for i in range(20)],
        datetime.datetime(1900, 1, 1),
    ),
    "image": ([[0.0, 1.0, 2.0, 8.0], [1.0, 1.0, 0.0, 3.0]], [9.0] * 4),
    "number": ([1.0, 2.5, 2.0**24 + 1], 1e30),
    "text": (["Call NOW!", "see you later", "call me later, please"], "völlig anderes"),
}
CASES = [(name, nullable) for name in INPUTS for nullable in (False, True) if not (name == "image" and nullable)]


def column_of(name: str, nullable: bool) -> Column:
    options = {"shape": [2, 2, 1]} if name == "image" else {}
    return Column(f"a {name}/h", TYPES[name].config(type=name, **options), nullable)


def rows_of(columns: list[Column], values: dict[str, list]) -> Split:
    arrays = {c.name: pa.array(values[c.config.type], c.storage) for c in columns}
    table = pa.table(arrays)
    return Split(np.array([f"{i:x}" for i in range(table.num_rows)]), table, np.arange(table.num_rows) / 10)


def schema_of(columns: list[Column]) -> Schema:
    return Schema("made", "regression", "hash", columns, "target", [])


def training(name: str, nullable: bool) -> tuple[Schema, Split]:
    column = column_of(name, nullable)
    some = VALUES[name][0]
    values = [some[i % len(some)] for i in range(ROWS)]
    if nullable:
        values[3::7] = [None] * len(values[3::7])
    return schema_of([column]), rows_of([column], {name: values})


def test_every_type_has_an_input_and_is_on_this_list() -> None:
    assert set(INPUTS) == set(TYPES) == set(VALUES)


@pytest.mark.parametrize(("name", "nullable"), CASES)
def test_an_input_keeps_its_word(name: str, nullable: bool, tmp_path: Path) -> None:
    schema, train = training(name, nullable)
    column = schema.features[0]
    new = [VALUES[name][1], VALUES[name][0][0], *[None] * nullable]
    asked = rows_of([column], {name: new})
    found = []
    for attempt in ("first", "second"):
        raw = raw_inputs(schema)
        model = by_feature(raw, build_features(PreprocessingConfig(), schema, raw, train), "preprocess")
        save_canonical(model, schema, tmp_path / f"{attempt}.keras")
        found.append(np.asarray(load_served(tmp_path / f"{attempt}.keras")(inputs_of(schema, asked))))
        np.testing.assert_array_equal(found[-1], np.asarray(model(inputs_of(schema, asked))))
    np.testing.assert_array_equal(*found)
    features = np.asarray(model(inputs_of(schema, train)))
    assert features.dtype == found[0].dtype == np.float32
    assert np.isfinite(features).all()
    assert np.isfinite(found[0]).all(), "a value that training has not seen"
    assert not (found[0][0] == found[0][1]).all() or name == "boolean"
    if nullable:
        assert (found[0][2] != found[0][1]).any(), "a missing value is no value"
    # Keras' layer list is numbered anew in each process, so a file's bytes are compared there (test_families)
    again = replace(train, table=train.table.slice(0))
    np.testing.assert_array_equal(np.asarray(model(inputs_of(schema, again))), features)


def test_columns_of_all_types_stand_side_by_side(tmp_path: Path) -> None:
    names = [name for name in INPUTS if name != "image"]
    columns = [column_of(name, nullable=name in ("number", "category")) for name in names]
    values = {name: [VALUES[name][0][i % len(VALUES[name][0])] for i in range(ROWS)] for name in names}
    values["number"][5] = values["category"][6] = None
    train, schema = rows_of(columns, values), schema_of(columns)
    model = assemble(config_of("linear", "regression"), schema, train)
    save_canonical(model.served, schema, tmp_path / "model.keras")
    served = load_served(tmp_path / "model.keras")
    answers = predict(served, schema, train.table)["prediction"]
    assert np.isfinite(answers).all()
    # the order of the columns of a table does not matter
    shuffled = train.table.select(train.table.column_names[::-1])
    np.testing.assert_array_equal(predict(served, schema, shuffled)["prediction"], answers)
    assert predict(served, schema, train.table.slice(0, 0))["prediction"].shape == (0,)


def test_ids_that_float32_cannot_tell_apart_stay_apart() -> None:
    schema = schema_of([column_of("number", nullable=False)])
    ids = 2.0**24 + np.arange(ROWS)
    raw = raw_inputs(schema)
    train = rows_of(schema.features, {"number": ids.tolist()})
    model = by_feature(raw, build_features(PreprocessingConfig(), schema, raw, train), "preprocess")
    assert len(np.unique(np.asarray(model(inputs_of(schema, train))))) == ROWS
    # nor are they made equal on the way to the model
    assert len(np.unique(predict(model, schema, train.table)["prediction"])) == ROWS


def test_rare_and_unknown_categories() -> None:
    schema = schema_of([column_of("category", nullable=True)])
    train = rows_of(schema.features, {"category": ["[UNK]"] * 5 + ["b"] * 3 + ["c", "d", None]})
    raw = raw_inputs(schema)
    model = by_feature(raw, build_features(PreprocessingConfig(rare=2), schema, raw, train), "preprocess")
    asked = rows_of(schema.features, {"category": ["[UNK]", "b", "c", "d", "new", None]})
    # [UNK] (which Keras takes for unknown texts), b, those that are rare, and the flag
    expected = [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 1, 0], [0, 0, 0, 0], [0, 0, 0, 1]]
    np.testing.assert_array_equal(np.asarray(model(inputs_of(schema, asked))), expected)
    few = by_feature(raw, build_features(PreprocessingConfig(most_categories=1), schema, raw, train), "preprocess")
    assert few.output_shape == (None, 3), "a, the others, and the flag"


def test_words_are_those_of_the_layer() -> None:
    text = "It's  5 o'clock,\tNOW-or NEVER! Ünï_code\nÀ\u00a0B"
    found = words(text)
    assert found == ["its", "5", "oclock", "nowor", "never", "Ünïcode", "À\u00a0b"]
    layer = keras.layers.TextVectorization(vocabulary=found, output_mode="multi_hot")
    assert np.asarray(layer(tf.constant([[text]])))[0].tolist() == [0.0] + [1.0] * len(found)


def test_columns_may_be_called_as_layers_are() -> None:
    names = ["features", "number_flags", "numbers", "prediction", "prediction/s", "standardize_numbers", "preprocess"]
    columns = [replace(column_of("number", nullable=False), name=name) for name in names]
    values = np.random.default_rng(0).normal(size=(ROWS, len(names)))
    table = pa.table({name: pa.array(column) for name, column in zip(names, values.T, strict=True)})
    train = Split(np.array([f"{i:x}" for i in range(ROWS)]), table, values[:, 0])
    schema = schema_of(columns)
    model = assemble(config_of("linear", "regression"), schema, train)
    assert np.isfinite(predict(model.served, schema, table)["prediction"]).all()


def test_a_date_knows_its_place_in_the_year() -> None:
    schema = schema_of([column_of("date", nullable=False)])
    days = [datetime.date(2020, 1, 1) + datetime.timedelta(days=i) for i in range(0, 1460, 7)]
    train = rows_of(schema.features, {"date": days})
    raw = raw_inputs(schema)
    model = by_feature(raw, build_features(PreprocessingConfig(), schema, raw, train), "preprocess")
    asked = [
        datetime.date(2021, 12, 31),
        datetime.date(2022, 1, 1),
        datetime.date(2021, 7, 1),
        datetime.date(2022, 1, 8),
    ]
    elapsed, *circles = np.asarray(model(inputs_of(schema, rows_of(schema.features, {"date": asked})))).T
    assert (np.argsort(elapsed) == [2, 0, 1, 3]).all()
    year, week = np.stack(circles[:2]), np.stack(circles[2:])
    assert np.linalg.norm(year[:, 0] - year[:, 1]) < 0.05 < np.linalg.norm(year[:, 0] - year[:, 2])
    np.testing.assert_allclose(week[:, 1], week[:, 3], atol=1e-6)
