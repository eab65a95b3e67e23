"""Random changes of training rows: what becomes of a row, how often, and what is refused."""

from typing import Any

import keras
import numpy as np
import pyarrow as pa
import pytest
import tensorflow as tf

from pipeline.config import AugmentationConfig, DatasetConfig, PreprocessingConfig
from pipeline.data.prepared import Split
from pipeline.data.schema import Column, Schema
from pipeline.data.sources.fasta import FastaDataset
from pipeline.data.sources.sklearn import SklearnDataset
from pipeline.data.sources.spoken_digits import SpokenDigitsDataset
from pipeline.data.sources.table import TableDataset
from pipeline.data.sources.ucr import UcrDataset
from pipeline.data.types.boolean import BooleanColumn
from pipeline.data.types.series import SeriesColumn
from pipeline.errors import ConfigError
from pipeline.matching import check_augmentation
from pipeline.model.assembly import raw_inputs
from pipeline.model.augmentation import build_augmentation
from pipeline.model.inputs.features import build_features
from pipeline.model.kinds import CODES, LETTERS, SEQUENCE, TOKENS, VECTOR, Feature
from pipeline.training.seeding import reseed, seed_generators
from tests.made import category, number, sequence, text

Arrays = dict[str, np.ndarray]
Widths = dict[str, dict[str, int]]
ROWS = 400
SERIES = Column("series", SeriesColumn("series", window=5, channels=["a", "b"]))


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(7))


def model_of(columns: list[Column], given: Arrays, widths: Widths, options: dict[str, Any]) -> keras.Model:
    schema = Schema("made", "binary", "hash", columns, "target", ["a", "b"])
    features = {
        kind: Feature(keras.Input(x.shape[1:], dtype=x.dtype.name), widths=widths[kind]) for kind, x in given.items()
    }
    config = AugmentationConfig(**options)
    config.check()
    model = build_augmentation(config, features, schema)
    assert model is not None
    return model


def all_changed(columns: list[Column], given: Arrays, widths: Widths, **options: Any) -> Arrays:
    """Features as they are trained on in an epoch. The same again are the same, also in a graph; those of another epoch
    are not, and nothing is changed but in training."""
    model = model_of(columns, given, widths, options)
    generators = seed_generators((model,))
    made = []
    for epoch, run in ((0, model), (0, tf.function(model, autograph=False)), (1, model)):
        reseed(generators, 3, epoch)
        made.append({kind: np.asarray(x) for kind, x in run(given, training=True).items()})
    for kind, x in model(given).items():
        np.testing.assert_array_equal(x, given[kind])
        np.testing.assert_array_equal(made[0][kind], made[1][kind])
        assert made[0][kind].dtype == given[kind].dtype
    assert any((made[0][kind] != made[2][kind]).any() for kind in given)
    return made[0]


def changed(column: Column, kind: str, x: np.ndarray, **options: Any) -> np.ndarray:
    return all_changed([column], {kind: x}, {kind: {column.config.type: x.shape[-1]}}, **options)[kind]


def assert_share(happened: np.ndarray, share: float) -> None:
    """Within four standard deviations of a binomial share."""
    assert abs(happened.mean() - share) <= 4 * np.sqrt(share * (1 - share) / happened.size)


def letters_of(random: np.random.Generator, alphabet: int, places: int, lengths: np.ndarray) -> np.ndarray:
    """Random letters (ROWS, places, alphabet), so many in each row."""
    letters = np.eye(alphabet, dtype=np.float32)[random.integers(0, alphabet, (ROWS, places))]
    return letters * (np.arange(places) < lengths[:, np.newaxis])[..., np.newaxis]


def test_a_share_of_the_words_is_unknown(random: np.random.Generator) -> None:
    tokens = random.integers(1, 50, (ROWS, 20)).astype(np.int32)
    tokens[np.arange(20) >= random.integers(0, 21, ROWS)[:, np.newaxis]] = 0
    found = changed(text("t"), TOKENS, tokens, word_dropout=0.15)
    np.testing.assert_array_equal(found == 0, tokens == 0)
    assert set(found[found != tokens].tolist()) == {1}
    assert_share(found[tokens > 1] == 1, 0.15)


@pytest.mark.parametrize("alphabet", [2, 4, 22])
def test_a_share_of_the_letters_is_another_one(alphabet: int, random: np.random.Generator) -> None:
    letters = letters_of(random, alphabet, 30, random.integers(0, 31, ROWS))
    found = changed(sequence("s"), LETTERS, letters, substitute=0.1)
    real = letters.any(axis=-1)
    np.testing.assert_array_equal(found.sum(axis=-1), real)
    before, after = letters.argmax(axis=-1)[real], found.argmax(axis=-1)[real]
    assert_share(before != after, 0.1)
    steps = (after - before)[before != after] % alphabet
    for step in range(1, alphabet):
        assert_share(steps == step, 1 / (alphabet - 1))


def test_an_ambiguous_letter_stands_for_as_many_others() -> None:
    letters = np.zeros((ROWS, 3, 4), np.float32)
    letters[:, 0], letters[:, 1] = 0.25, [0.5, 0, 0.5, 0]
    found = changed(sequence("s"), LETTERS, letters, substitute=0.9)
    np.testing.assert_array_equal(found[:, [0, 2]], letters[:, [0, 2]])
    np.testing.assert_array_equal(np.sort(found[:, 1], axis=-1), np.tile([0, 0, 0.5, 0.5], (ROWS, 1)))


def test_letters_move_and_any_may_come_from_outside(random: np.random.Generator) -> None:
    lengths = random.integers(0, 13, ROWS)
    letters = letters_of(random, 4, 12, lengths)
    found = changed(sequence("s"), LETTERS, letters, shift_letters=2)
    any_letter = np.full((1, 4), 0.25, np.float32)
    seen = []
    for row, before, length in zip(found, letters, lengths, strict=True):
        padded = np.concatenate([np.repeat(any_letter, 2, 0), before[:length], np.repeat(any_letter, 2, 0)])
        fits = [by for by in range(-2, 3) if (row[:length] == padded[2 - by : 2 - by + length]).all()]
        assert fits
        assert not row[length:].any(), "what fills up stays"
        seen += fits if length > 6 and len(fits) == 1 else []
    for by in range(-2, 3):
        assert_share(np.array(seen) == by, 0.2)


def test_series_are_jittered_and_scaled_by_channel(random: np.random.Generator) -> None:
    x = random.normal(size=(ROWS, 5, 2)).astype(np.float32)
    noise = changed(SERIES, SEQUENCE, x, jitter=0.3) - x
    assert abs(noise.std() - 0.3) < 0.02
    assert abs(noise.mean()) < 4 * 0.3 / noise.size**0.5
    factor = changed(SERIES, SEQUENCE, x, scaling=0.2) / x
    np.testing.assert_allclose(factor, np.broadcast_to(factor[:, :1], factor.shape), rtol=1e-4)
    assert abs(factor[:, 0].mean() - 1) < 4 * 0.2 / (2 * ROWS) ** 0.5
    assert abs(factor[:, 0].std() - 0.2) < 0.02
    assert abs(np.corrcoef(factor[:, 0].T)[0, 1]) < 0.2, "each channel has its own"


def test_series_lose_whole_moments() -> None:
    found = changed(SERIES, SEQUENCE, np.ones((ROWS, 5, 2), np.float32), mask_time=0.4, masks=1)
    np.testing.assert_array_equal(found[..., 0], found[..., 1])
    assert set((found[..., 0] == 0).sum(axis=1).tolist()) == {0, 1, 2}


def test_of_a_table_only_the_numbers_change() -> None:
    """Beside them are a flag for missing ones, a column of another type, and categories."""
    columns = [category("c"), number("x"), number("y", nullable=True), Column("b", BooleanColumn("boolean"))]
    schema = Schema("made", "binary", "hash", columns, "target", ["a", "b"])
    table = pa.table({"c": ["u", "v"], "x": [1.0, 2.0], "y": [None, 2.0], "b": [True, False]})
    train = Split(np.array(["0", "1"]), table, np.array([0, 1]))
    made = build_features(PreprocessingConfig(), schema, raw_inputs(schema), train, (VECTOR, CODES))
    widths = {kind: feature.widths for kind, feature in made.items()}
    assert widths == {VECTOR: {"number": 3, "boolean": 1}, CODES: {"category": 1}}
    given = {VECTOR: np.ones((ROWS, 4), np.float32), CODES: np.full((ROWS, 1), 3, np.int32)}
    dropped = all_changed(columns, given, widths, feature_dropout=0.2)
    jittered = all_changed(columns, given, widths, jitter=0.1)
    for found in (dropped, jittered):
        np.testing.assert_array_equal(found[CODES], given[CODES])
        np.testing.assert_array_equal(found[VECTOR][:, 2:], 1)
    numbers = dropped[VECTOR][:, :2]
    assert_share(numbers == 0, 0.2)
    np.testing.assert_allclose(numbers[numbers != 0], 1 / 0.8, rtol=1e-6)
    assert abs((jittered[VECTOR][:, :2] - 1).std() - 0.1) < 0.01


def table_of(*types: str) -> DatasetConfig:
    columns = {f"x{i}": name for i, name in enumerate(types)}
    return TableDataset(name="made", source="table", task="binary", path="rows.csv", target="y", columns=columns)


RECORDINGS = SpokenDigitsDataset("made", "spoken_digits", "multiclass")
GENES = FastaDataset("made", "fasta", "binary", path="a.fa", header="(?P<label>.)")
DIGITS = SklearnDataset("made", "sklearn", "multiclass", loader="digits", images=True)
REFUSED = [
    ("flip", "cnn", RECORDINGS, "image columns, but dataset made has audio. Set it to 0; audio takes shift_time, mask"),
    ("mask_bands", "cnn", DIGITS, "audio columns, but dataset made has image. Set it to 0; image takes translate, ro"),
    ("mask_time", "cnn", GENES, "audio or series columns, but dataset made has sequence. Set it to 0; sequence takes"),
    ("flip", "mlp", table_of("number", "category"), "image columns, but dataset made has number, category. Set it to"),
    ("jitter", "mlp", table_of("category"), "number or series columns, but dataset made has category. Set it to 0; t"),
    ("word_dropout", "logistic", table_of("text"), "tokens, but model logistic takes text as a vector. Set it to 0, "),
    ("substitute", "mlp", GENES, "letters, but model mlp takes sequence as a vector. Set it to 0, or choose one of: c"),
]


@pytest.mark.parametrize(("option", "family", "dataset", "message"), REFUSED, ids=[case[0] for case in REFUSED])
def test_what_is_not_there_is_not_changed(option: str, family: str, dataset: DatasetConfig, message: str) -> None:
    config = AugmentationConfig(**{option: 0.1})
    with pytest.raises(ConfigError) as found:
        check_augmentation(config, family, dataset)
    assert str(found.value).startswith(f"trainer.augmentation.{option} changes {message}")


def test_what_is_there_is() -> None:
    series = UcrDataset(name="made", source="ucr", task="binary", path="a.tsv")
    for family, dataset, options in (
        ("cnn", RECORDINGS, {"shift_time": 0.1, "mask_time": 0.1}),
        ("rnn", GENES, {"substitute": 0.1, "shift_letters": 3}),
        ("logistic", series, {"jitter": 0.1, "scaling": 0.1, "mask_time": 0.1}),
        ("mlp", table_of("number", "category"), {"jitter": 1.0, "feature_dropout": 0.1}),
        ("cnn", table_of("text"), {"word_dropout": 0.1}),
        ("logistic", table_of("number", "text"), {"jitter": 0.1}),
    ):
        config = AugmentationConfig(**options)
        config.check()
        check_augmentation(config, family, dataset)


def test_shares_and_deviations_are_checked() -> None:
    for option, value in (("word_dropout", 1.0), ("feature_dropout", -0.1), ("jitter", 1.5), ("shift_letters", -1)):
        with pytest.raises(ConfigError, match=rf"trainer\.augmentation\.{option}: found {value}, expected "):
            AugmentationConfig(**{option: value}).check()
