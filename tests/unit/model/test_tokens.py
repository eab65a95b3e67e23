"""What fills up a text changes no answer, and no state before it."""

import keras
import numpy as np
import pytest

from pipeline.model.families import FAMILIES
from pipeline.model.kinds import TOKENS, Feature

SIZE = 12
SETTINGS = [
    ("cnn", {"filters": [5, 4], "readout": "average"}),
    ("cnn", {"filters": [5, 4], "readout": "max", "batch_norm": False}),
    ("cnn", {"filters": [5, 4], "kernel": [2, 5], "readout": "max"}),
    ("rnn", {"cell": "gru", "units": [5, 4]}),
    ("rnn", {"cell": "lstm", "units": [5]}),
    ("rnn", {"cell": "simple", "units": [5, 4], "bidirectional": True}),
]
TEXTS = [[3, 4, 5, 6, 7], [8], [], [1, 2, 11, 3]]


def model_of(family: str, settings: dict[str, object], length: int) -> keras.Model:
    keras.utils.set_random_seed(3)
    tokens = keras.Input((length,), dtype="int32")
    config = FAMILIES[family].config(family=family, embedding=6, **settings)  # type: ignore[call-arg]
    model = keras.Model(tokens, FAMILIES[family].build(config, {TOKENS: Feature(tokens, [SIZE])}))
    random = np.random.default_rng(5)
    made = [random.uniform(-0.5, 0.5, w.shape) for w in model.get_weights()]
    # a moving variance is positive
    model.set_weights([np.abs(w) + 0.1 if w.ndim == 1 else w for w in made])
    return model


def filled(texts: list[list[int]], length: int) -> np.ndarray:
    return np.array([text + [0] * (length - len(text)) for text in texts], np.int32)


@pytest.mark.parametrize(("family", "settings"), SETTINGS, ids=str)
def test_an_answer_does_not_depend_on_longer_texts(family: str, settings: dict[str, object]) -> None:
    short, long = (np.asarray(model_of(family, settings, n)(filled(TEXTS, n))) for n in (6, 17))
    np.testing.assert_allclose(short, long, rtol=1e-6, atol=1e-7)
    assert np.isfinite(short).all()
    assert len(np.unique(short.round(6), axis=0)) == len(TEXTS), "each text has an answer of its own"


@pytest.mark.parametrize("family", ["cnn", "rnn"])
def test_embeddings_of_what_fills_up_are_not_learned_from(family: str) -> None:
    """Whatever stands in their place, answers are the same."""
    model = model_of(family, {}, 6)
    before = np.asarray(model(filled(TEXTS, 6)))
    weights = model.get_weights()
    assert weights[0].shape == (SIZE, 6)
    weights[0][0] = 1000.0
    model.set_weights(weights)
    np.testing.assert_array_equal(np.asarray(model(filled(TEXTS, 6))), before)


def test_both_directions_are_keras_bidirectional_on_a_text_of_full_length() -> None:
    model = model_of("rnn", {"cell": "gru", "units": [4, 3], "bidirectional": True}, 5)
    x = keras.Input((5,), dtype="int32")
    embedding = keras.layers.Embedding(SIZE, 6)
    layers = [keras.layers.Bidirectional(keras.layers.GRU(n, return_sequences=n == 4)) for n in (4, 3)]
    usual = keras.Model(x, layers[1](layers[0](embedding(x))))
    embedding.set_weights(model.get_layer("embedding").get_weights())
    for i, layer in enumerate(layers):
        layer.forward_layer.set_weights(model.get_layer(f"gru_{i}").get_weights())
        layer.backward_layer.set_weights(model.get_layer(f"gru_{i}_backward").get_weights())
    tokens = filled([[3, 4, 5, 6, 7], [9, 8, 2, 1, 11]], 5)
    np.testing.assert_allclose(np.asarray(model(tokens)), np.asarray(usual(tokens)), rtol=1e-5, atol=1e-6)
