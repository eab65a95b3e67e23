"""One checklist for what a model does with columns of each type, with and without missing values."""

import datetime
from collections import Counter
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pyarrow as pa
import pytest
import tensorflow as tf
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfTransformer, TfidfVectorizer

from pipeline.config import PreprocessingConfig, TextFeaturesConfig
from pipeline.data.digests import text_digests
from pipeline.data.prepared import Split
from pipeline.data.reading import read_values
from pipeline.data.schema import Column, Schema
from pipeline.data.types import TYPES
from pipeline.data.types.audio import Audio, AudioColumn
from pipeline.errors import ConfigError
from pipeline.model.assembly import assemble
from pipeline.model.inputs import INPUTS
from pipeline.model.inputs.features import schema_taken
from pipeline.model.inputs.words import grams, units
from pipeline.model.kinds import CODES, TOKENS
from pipeline.serving import archive
from pipeline.serving.archive import load_served, save_canonical
from pipeline.serving.batch import predict
from tests.contracts.test_families import config_of
from tests.made import inputs_of, preprocessing

ROWS = 60
DAY = datetime.date(2024, 2, 1)
AUDIO = {"rate": 8000, "seconds": 0.1}


def tone(hertz: float, seconds: float = 0.1) -> bytes:
    """A stored recording."""
    wave = 0.5 * np.sin(2 * np.pi * hertz * np.arange(8000 * seconds) / 8000)
    return Audio().convert(pa.array([wave]), AudioColumn("audio", **AUDIO)).values[0].as_py()


# Values in the storage of each type, and one that no training row has, where the type's own examples do not do.
VALUES = {
    "audio": ([tone(300), tone(1200), tone(900, 0.05)], tone(3000)),
    "boolean": ([True, False, True], True),
    "category": (["red", "green", "blue", "red"], "purple"),
    "date": ([DAY + datetime.timedelta(days=30 * i) for i in range(20)], datetime.date(1970, 1, 1)),
    "datetime": (
        [datetime.datetime(2024, 2, 1, 12) + datetime.timedelta(hours=7 * i) for i in range(20)],
        datetime.datetime(1900, 1, 1),
    ),
    "image": ([[0.0, 1.0, 2.0, 8.0], [1.0, 1.0, 0.0, 3.0]], [9.0] * 4),
    "number": ([1.0, 2.5, 2.0**24 + 1], 1e30),
    "sequence": (["ACGT", "ACG", "GGNRA"], "TTTTTTTT"),
    "series": ([[0.0, 1e9 + 1, 2.0, 1e9 + 5], [1.0, 1e9, 0.0, 1e9 + 3]], [9.0, 1e9, 1e30, -1e9]),
    "text": (["Call NOW!", "see you later", "call me later, please"], "völlig anderes"),
}
ALONE = {"image": {"shape": [2, 2, 1]}, "series": {"window": 2, "channels": ["a", "b"]}, "audio": AUDIO}
for missing in set(TYPES) - set(VALUES):
    texts = pa.array(TYPES[missing].examples)
    examples = read_values(Column(missing, TYPES[missing].config(type=missing)), texts, ()).values.to_pylist()
    VALUES[missing] = (examples[:-1], examples[-1])
CASES = [(name, nullable) for name in INPUTS for nullable in (False, True) if not (TYPES[name].is_content and nullable)]


def column_of(name: str, nullable: bool) -> Column:
    return Column(f"a {name}/h", TYPES[name].config(type=name, **ALONE.get(name, {})), nullable)


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


def test_every_type_has_an_input() -> None:
    assert set(INPUTS) == set(TYPES)


@pytest.mark.parametrize(("name", "nullable"), CASES)
def test_an_input_keeps_its_word(name: str, nullable: bool, tmp_path: Path) -> None:
    schema, train = training(name, nullable)
    column = schema.features[0]
    new = [VALUES[name][1], VALUES[name][0][0], *[None] * nullable]
    asked = rows_of([column], {name: new})
    found = []
    for attempt in ("first", "second"):
        model = preprocessing(schema, train)
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
    names = [name for name in INPUTS if not TYPES[name].is_content]
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
    train = rows_of(schema.features, {"number": ids.tolist()})
    model = preprocessing(schema, train)
    assert len(np.unique(np.asarray(model(inputs_of(schema, train))))) == ROWS
    # nor are they made equal on the way to the model
    assert len(np.unique(predict(model, schema, train.table)["prediction"])) == ROWS


def test_rare_and_unknown_categories() -> None:
    schema = schema_of([column_of("category", nullable=True)])
    train = rows_of(schema.features, {"category": ["[UNK]"] * 5 + ["b"] * 3 + ["c", "d", None]})
    model = preprocessing(schema, train, PreprocessingConfig(rare=2))
    asked = rows_of(schema.features, {"category": ["[UNK]", "b", "c", "d", "new", None]})
    # [UNK] (which Keras takes for unknown texts), b, those that are rare, and the flag
    expected = [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 1, 0], [0, 0, 0, 0], [0, 0, 0, 1]]
    np.testing.assert_array_equal(np.asarray(model(inputs_of(schema, asked))), expected)
    few = preprocessing(schema, train, PreprocessingConfig(most_categories=1))
    assert few.output_shape == (None, 3), "a, the others, and the flag"
    coded = preprocessing(schema, train, PreprocessingConfig(rare=2), accepts=(CODES,))
    found = np.asarray(coded(inputs_of(schema, asked)))
    assert found.dtype == np.int32
    assert found[:, 0].tolist() == [1, 2, 3, 3, 0, 4]


def test_a_missing_category_that_training_has_not_seen_is_as_an_unknown_one() -> None:
    schema = schema_of([column_of("category", nullable=True)])
    train = rows_of(schema.features, {"category": ["a", "a", "b", "b"]})
    coded = preprocessing(schema, train, accepts=(CODES,))
    asked = rows_of(schema.features, {"category": ["b", None, ""]})
    assert np.asarray(coded(inputs_of(schema, asked)))[:, 0].tolist() == [2, 0, 0]


def test_words_are_those_of_the_layer() -> None:
    text = "It's  5 o'clock,\tNOW-or NEVER! Ünï_code\nÀ\u00a0B"
    found = units(text, TextFeaturesConfig())
    assert found == ["its", "5", "oclock", "nowor", "never", "Ünïcode", "À\u00a0b"]
    layer = keras.layers.TextVectorization(vocabulary=found, output_mode="multi_hot")
    assert np.asarray(layer(tf.constant([[text]])))[0].tolist() == [0.0] + [1.0] * len(found)


@pytest.mark.parametrize("weight", ["presence", "counts", "tf_idf"])
@pytest.mark.parametrize(
    ("unit", "lower"),
    [("words", True), ("characters", True), ("words", False), ("characters", False), ("bytes", True), ("bytes", False)],
)
def test_a_bag_is_scikit_learns(unit: str, lower: bool, weight: str) -> None:
    config = TextFeaturesConfig(unit, lower, ngrams=2, weight=weight, most=40)
    schema = schema_taken(PreprocessingConfig(text=config), schema_of([column_of("text", nullable=True)]))
    texts = [*VALUES["text"][0], "call, call", "", None]
    train = rows_of(schema.features, {"text": texts})
    model = preprocessing(schema, train, PreprocessingConfig(text=config))
    found = np.asarray(model(inputs_of(schema, train)))
    columns = {
        "lowercase": False,
        "vocabulary": _bag_of(config, texts),
        "analyzer": lambda text: grams(units(text, config), 2),
    }
    kind = TfidfVectorizer(**columns) if weight == "tf_idf" else CountVectorizer(**columns, binary=weight == "presence")
    expected = kind.fit_transform([text or "" for text in texts]).toarray()
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-7)
    assert found.any(axis=1).tolist() == [True] * 4 + [False] * 2


@pytest.mark.parametrize("weight", ["presence", "counts", "tf_idf"])
def test_a_hashed_bag_adds_up_what_shares_a_bucket(weight: str, tmp_path: Path) -> None:
    """The counts of scikit-learn for each word and pair of words, of which several share one of 7 buckets."""
    text = TextFeaturesConfig(ngrams=2, weight=weight, vocabulary="hashed", buckets=7)
    config = PreprocessingConfig(text=text)
    schema = schema_taken(config, schema_of([column_of("text", nullable=True)]))
    texts = [*VALUES["text"][0], "call, call", "", None]
    train = rows_of(schema.features, {"text": texts})
    save_canonical(preprocessing(schema, train, config), schema, tmp_path / "model.keras")
    served, taken = load_served(tmp_path / "model.keras"), archive.schema_of(tmp_path / "model.keras")
    found = np.asarray(served(inputs_of(taken, train)))
    options = {"lowercase": False, "analyzer": lambda text: grams(units(text, config.text), 2)}
    plain, counter = [text or "" for text in texts], CountVectorizer(**options)
    counts = counter.fit_transform(plain).toarray()
    expected = counts @ np.eye(7)[text_digests(pa.array(counter.get_feature_names_out())) % 7]
    hashing = HashingVectorizer(n_features=7, norm=None, alternate_sign=False, **options)
    np.testing.assert_array_equal(expected.sum(axis=1), hashing.transform(plain).toarray().sum(axis=1))
    if weight == "presence":
        expected = expected > 0
    if weight == "tf_idf":
        expected = TfidfTransformer().fit_transform(expected).toarray()
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    new = rows_of(schema.features, {"text": [VALUES["text"][1]]})
    assert np.asarray(served(inputs_of(taken, new))).any(), "words that no training text has"


def test_tokens_have_no_buckets() -> None:
    config = PreprocessingConfig(text=TextFeaturesConfig(vocabulary="hashed"))
    schema = schema_taken(config, schema_of([column_of("text", nullable=False)]))
    train = rows_of(schema.features, {"text": ["a text"]})
    expected = "vocabulary: found hashed, but this model takes words one after another. Set it to learned, or choose a"
    with pytest.raises(ConfigError, match=expected):
        preprocessing(schema, train, config, accepts=(TOKENS,))


def test_it_is_said_what_a_model_knows_of_texts_and_how_many_it_sees_in_part(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A bag knows words that one text alone has, and tokens do not."""
    config = PreprocessingConfig(text=TextFeaturesConfig(longest=2))
    schema = schema_of([column_of("text", nullable=False)])
    train = rows_of(schema.features, {"text": ["a b c", "a b d", "e"]})
    preprocessing(schema, train, config)
    assert capsys.readouterr().out == "a text/h: 5 of 5 words are known, which are 100.0% of those in texts\n"
    preprocessing(schema, train, config, accepts=(TOKENS,))
    assert capsys.readouterr().out.splitlines() == [
        "a text/h: 2 of 5 words are known, which are 57.1% of those in texts",
        "a text/h: 2 of 3 training texts have more than 2 words; a model does not see what comes after them "
        "(preprocessing.text.longest)",
    ]


@pytest.mark.parametrize("lower", [True, False])
def test_tokens_are_the_bytes_of_a_text(lower: bool, tmp_path: Path) -> None:
    """All 256 are known, whatever training has seen: by the model as it is saved, which knows what it takes."""
    config = PreprocessingConfig(text=TextFeaturesConfig("bytes", lower, longest=9))
    schema = schema_taken(config, schema_of([column_of("text", nullable=True)]))
    train = rows_of(schema.features, {"text": ["only this"]})
    save_canonical(preprocessing(schema, train, config, accepts=(TOKENS,)), schema, tmp_path / "model.keras")
    texts = ["Az \n\t", "\u00e9\u20ac\0", "\U0001f600 [UNK]", "\u00ff\u0100", "cut off here", "", None]
    asked = rows_of(schema.features, {"text": texts})
    found = np.asarray(
        load_served(tmp_path / "model.keras")(inputs_of(archive.schema_of(tmp_path / "model.keras"), asked))
    )
    written = [(text or "").encode()[:9] for text in texts]
    written = [text.lower() for text in written] if lower else written
    # 0 fills up, and 1 stands for what is not known
    assert found.tolist() == [[2 + byte for byte in text] + [0] * (9 - len(text)) for text in written]


def test_a_model_of_bytes_answers_each_text_alone_as_beside_others(tmp_path: Path) -> None:
    config = config_of("cnn", "regression")
    config.preprocessing.text = TextFeaturesConfig("bytes")
    train = rows_of([column_of("text", nullable=False)], {"text": ["gut", "\u00fcbel", "so la la", "\0"]})
    keras.utils.set_random_seed(1)
    model = assemble(config, schema_of([column_of("text", nullable=False)]), train)
    save_canonical(model.served, model.schema, tmp_path / "model.keras")
    served, schema = load_served(tmp_path / "model.keras"), archive.schema_of(tmp_path / "model.keras")
    together = predict(served, schema, train.table)["prediction"]
    alone = [predict(served, schema, train.table.slice(i, 1))["prediction"][0] for i in range(4)]
    np.testing.assert_allclose(alone, together, rtol=1e-6)
    assert len(np.unique(together)) == 4


def _bag_of(config: TextFeaturesConfig, texts: list[str | None]) -> list[str]:
    """The 40 that are in most texts."""
    count = Counter(name for text in texts for name in set(grams(units(text or "", config), 2)))
    return [name for name, _ in sorted(count.items(), key=lambda entry: (-entry[1], entry[0]))[:40]]


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
    model = preprocessing(schema, train)
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
