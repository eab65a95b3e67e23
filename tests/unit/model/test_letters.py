"""Sequences as letters and as k-mers; what fills up a sequence changes no answer."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pyarrow as pa
import pytest
from sklearn.feature_extraction.text import CountVectorizer

from pipeline.config import AugmentationConfig, PreprocessingConfig, SequenceFeaturesConfig
from pipeline.data.prepared import Split
from pipeline.data.schema import Column, Schema
from pipeline.data.types.sequence import SequenceColumn, reverse_complement
from pipeline.errors import ConfigError
from pipeline.model.assembly import assemble
from pipeline.model.augmentation import build_augmentation
from pipeline.model.inputs import sequence as sequence_input
from pipeline.model.inputs.sequence import rows_at_once, usual_k
from pipeline.model.kinds import LETTERS, Feature
from pipeline.serving.archive import load_served, save_canonical
from pipeline.serving.batch import predict
from pipeline.training.seeding import reseed, seed_generators
from tests.contracts.test_families import config_of
from tests.made import inputs_of, preprocessing, sequence, split_of

SEQUENCES = ["ACGTTGCA", "TTG", "A", "GATTACAGATTACA"]
FAMILIES = [
    ("logistic", {}, 1),
    ("logistic", {}, 2),
    ("mlp", {"layers": [4]}, 3),
    ("cnn", {"filters": [5, 4], "readout": "average"}, 0),
    ("cnn", {"filters": [5, 4], "readout": "max", "batch_norm": False}, 0),
    ("cnn", {"filters": [5, 4], "readout": "flatten", "pool_every": 2}, 0),
    ("rnn", {"cell": "gru", "units": [5, 4]}, 0),
    ("rnn", {"cell": "lstm", "units": [4], "bidirectional": True}, 0),
]


def schema_of(column: Column) -> Schema:
    return Schema("made", "multiclass", "hash", [column], "target", ["a", "b"])


def split_with(texts: list[str | None]) -> Split:
    table = pa.table({"s": pa.array(texts, pa.string())})
    return Split(np.array([f"{i:x}" for i in range(len(texts))]), table, np.arange(len(texts)) % 2)


def features(texts: list[str | None], train: list[str | None], accepts: tuple[str, ...], **options: Any) -> np.ndarray:
    schema = schema_of(sequence("s"))
    config = PreprocessingConfig(sequence=SequenceFeaturesConfig(**options), standardize=False)
    model = preprocessing(schema, split_with(train), config, accepts)
    return np.asarray(model(inputs_of(schema, split_with(texts))))


@pytest.mark.parametrize(("family", "settings", "kmers"), FAMILIES, ids=str)
def test_an_answer_does_not_depend_on_longer_sequences(
    family: str, settings: dict[str, Any], kmers: int, tmp_path: Path
) -> None:
    """Each sequence alone, and in a batch with the others, by the model as it is saved and loaded."""
    schema, train = schema_of(sequence("s")), split_with(SEQUENCES)
    config = config_of(family, "multiclass")
    config.preprocessing.sequence.kmers = kmers
    for name, value in settings.items():
        setattr(config.model, name, value)
    keras.utils.set_random_seed(3)
    model = assemble(config, schema, train)
    random = np.random.Generator(np.random.PCG64(5))
    made = [random.uniform(-0.5, 0.5, w.shape) for w in model.core.get_weights()]
    # a moving variance is positive
    model.core.set_weights([np.abs(w) + 0.1 if w.ndim == 1 else w for w in made])
    save_canonical(model.served, schema, tmp_path / "model.keras")
    served = load_served(tmp_path / "model.keras")
    together = predict(served, schema, train.table)["probability_a"]
    alone = [predict(served, schema, train.table.slice(i, 1))["probability_a"][0] for i in range(len(SEQUENCES))]
    np.testing.assert_allclose(alone, together, rtol=1e-6)
    assert len(np.unique(together.round(6))) == len(SEQUENCES), "each sequence has an answer of its own"


def test_letters_are_fractions_and_nothing_behind_the_last_one() -> None:
    found = features(["AR", "N", None, "ACGTAC"], ["ACGT"], (LETTERS,))
    assert found.shape == (4, 4, 4), "as long as the longest training sequence"
    np.testing.assert_array_equal(found[0], [[1, 0, 0, 0], [0.5, 0, 0.5, 0], [0] * 4, [0] * 4])
    np.testing.assert_array_equal(found[1][:2], [[0.25] * 4, [0] * 4])
    np.testing.assert_array_equal(found[2], np.zeros((4, 4)))
    np.testing.assert_array_equal(found[3], np.eye(4)), "what comes later is cut off"


def test_it_is_said_how_many_sequences_are_cut(capsys: pytest.CaptureFixture[str]) -> None:
    features(["A"], [*SEQUENCES, None], (LETTERS,), longest=14)
    assert capsys.readouterr().out == ""
    features(["A"], [*SEQUENCES, None], (LETTERS,), longest=4)
    assert capsys.readouterr().out.startswith("s: 2 training sequences have more than 4 letters; a model does not see")


def test_a_vector_has_the_positions_where_all_sequences_have_one_length() -> None:
    found = features(["ACG", "A"], ["ACG", None, "TTT"], ("vector",))
    np.testing.assert_array_equal(found, [[1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0], [1] + [0] * 11])


@pytest.mark.parametrize("k", [1, 2, 3, 4, 5])
def test_kmers_are_those_of_scikit_learn(k: int) -> None:
    found = features(SEQUENCES, SEQUENCES, ("vector",), kmers=k)
    every = ["".join("acgt"[i // 4**j % 4] for j in range(k - 1, -1, -1)) for i in range(4**k)]
    expected = CountVectorizer(analyzer="char", ngram_range=(k, k), vocabulary=every).transform(SEQUENCES).toarray()
    np.testing.assert_array_equal(found, expected)


def test_an_ambiguous_letter_counts_for_each_that_it_may_be() -> None:
    found = features(["AN", "RC"], ["AAAA"], ("vector",), kmers=2).reshape(2, 4, 4)
    np.testing.assert_array_equal(found[0][0], [0.25] * 4)
    np.testing.assert_array_equal(found[1][:, 1], [0.5, 0, 0.5, 0])
    assert found.sum() == 2


def test_counts_are_standardised_by_the_training_rows() -> None:
    schema = schema_of(sequence("s"))
    train = split_with([*SEQUENCES, None])
    model = preprocessing(schema, train)
    found = np.asarray(model(inputs_of(schema, train)), np.float64)
    assert found.shape == (5, 256)
    varies = found.std(axis=0) > 1e-6
    np.testing.assert_allclose(found[:, varies].std(axis=0), 1, rtol=1e-4)
    np.testing.assert_allclose(found.mean(axis=0), 0, atol=1e-5)


def test_kmers_are_counted_of_so_many_rows_as_memory_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    assert rows_at_once(60, 4, 4) == rows_at_once(2000, 4, 4) == 256
    assert rows_at_once(1_000_000, 8, 4) == 1
    assert rows_at_once(60, 8, 4) == 89
    table = split_with([*SEQUENCES, None]).table

    def moments() -> tuple[np.ndarray, np.ndarray]:
        return sequence_input._moments(SequenceColumn("sequence"), "s", 9, 3, lambda: iter([table]))

    whole = moments()
    monkeypatch.setattr(sequence_input, "MOST_BYTES", 1)
    for one, other in zip(whole, moments(), strict=True):
        np.testing.assert_array_equal(one, other)


def other_strands(epoch: int, **options: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Letters as the augmentation leaves them, as they are, and as the other strands have them."""
    texts = [text for text in ["ACGTTGCA", "TTNR", "A", "GATTACAGATTACA", "CCY"] for _ in range(40)]
    given, other = (
        features([*some], ["A" * 15, "C"], (LETTERS,))
        for some in (texts, [reverse_complement(t, "dna") for t in texts])
    )
    column = Column("s", SequenceColumn("sequence", **options))
    config = AugmentationConfig(reverse_complement=True)
    feature = Feature(keras.Input(given.shape[1:]), widths={"sequence": given.shape[-1]})
    model = build_augmentation(config, {LETTERS: feature}, schema_of(column))
    assert model is not None
    reseed(seed_generators((model,)), 3, epoch)
    np.testing.assert_array_equal(np.asarray(model({LETTERS: given})[LETTERS]), given, err_msg="not in training")
    return np.asarray(model({LETTERS: given}, training=True)[LETTERS]), given, other


def test_half_of_the_sequences_are_their_other_strand() -> None:
    found, given, other = other_strands(epoch=0)
    turned, kept = ((found == some).all(axis=(1, 2)) for some in (other, given))
    assert (turned | kept).all()
    differ = (given != other).any(axis=(1, 2))
    # four standard deviations of a binomial share
    assert abs(turned[differ].mean() - 0.5) < 4 * 0.5 / differ.sum() ** 0.5
    np.testing.assert_array_equal(other_strands(epoch=0)[0], found)
    assert (other_strands(epoch=1)[0] != found).any()


def test_only_bases_have_complements() -> None:
    for options, name in (({"alphabet": "protein"}, "the alphabet protein"), ({"letters": "HP"}, r"letters .* \(HP\)")):
        with pytest.raises(
            ConfigError, match=rf"reverse_complement: column 's' has {name}, without complements; expec"
        ):
            other_strands(epoch=0, **options)


def test_how_long_kmers_are() -> None:
    assert usual_k(SequenceColumn("sequence")) == 4
    assert usual_k(SequenceColumn("sequence", alphabet="protein")) == 2
    assert usual_k(SequenceColumn("sequence", letters="A")) == 1
    with pytest.raises(ConfigError, match=r"sequence\.kmers: found 9, which makes 262144 features"):
        features(["A"], ["A", "AC"], ("vector",), kmers=9)


def test_rows_of_one_batch_may_be_of_any_length() -> None:
    schema = schema_of(sequence("s"))
    assert inputs_of(schema, split_of({"s": np.array(["ACG", "A"])}))["s"].tolist() == [[1, 2, 3], [1, 0, 0]]
    assert inputs_of(schema, split_with([None]))["s"].tolist() == [[0]]
