"""From recordings to a model that answers to the bytes of a sound file."""

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import soundfile

from pipeline.config import AudioFeaturesConfig, LimitConfig, PrepareConfig, SplitConfig
from pipeline.data.prepared import read_split
from pipeline.data.sampling import TrainingData
from pipeline.data.sound import decoded
from pipeline.data.sources.spoken_digits import SpokenDigitsDataset
from pipeline.data.writing import write_prepared
from pipeline.evaluation.reference import REFERENCES
from pipeline.serving.archive import load_served, save_canonical
from pipeline.serving.batch import predict
from pipeline.serving.raw_model import RawModel
from pipeline.tracking.journal import Journal
from pipeline.training.fit import fit
from tests.contracts.test_families import config_of

DATASET = SpokenDigitsDataset("spoken", "spoken_digits", "multiclass", speakers=12, clips=40)


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("prepared")
    write_prepared(PrepareConfig(SplitConfig(1, 0.2, 0.2), DATASET), folder, folder)
    return folder


def test_families_learn_from_recordings_and_answer_to_files(prepared: Path, tmp_path: Path) -> None:
    data = TrainingData.open(prepared, 2**30, LimitConfig())
    test = read_split(prepared, "test", data.schema)
    for family, epochs in (("cnn", 4), ("rnn", 2), ("logistic", 2)):
        config = config_of(family, "multiclass")
        config.trainer.name, config.trainer.epochs, config.trainer.batch_size = "compiled", epochs, 32
        config.preprocessing.audio = AudioFeaturesConfig(mels=16, hop_ms=20)
        if family == "cnn":
            config.trainer.augmentation = replace(config.trainer.augmentation, mask_time=0.1, mask_bands=0.1)
        model, history = fit(config, data, tmp_path / family, Journal(tmp_path / f"{family}.jsonl"))
        assert history[-1]["loss"] < history[0]["loss"]
        (tmp_path / family).mkdir(exist_ok=True)
        save_canonical(model.served, data.schema, tmp_path / family / "model.keras")
        answers = predict(load_served(tmp_path / family / "model.keras"), data.schema, test.table)
    stored = test.table["recording"].combine_chunks()[:3].to_pylist()
    samples = [decoded(content)[0] for content in stored]
    for form in (stored, [as_flac(wave) for wave in samples], samples):
        raw = RawModel(tmp_path / family).predict(pd.DataFrame({"recording": pd.Series(form, dtype=object)}))
        np.testing.assert_array_equal(raw["prediction"], answers["prediction"][:3])


def as_flac(samples: np.ndarray) -> bytes:
    stream = io.BytesIO()
    soundfile.write(stream, samples, 8000, format="FLAC", subtype="PCM_16")
    return stream.getvalue()


def test_a_user_of_scikit_learn_has_spectra_too(prepared: Path) -> None:
    data = TrainingData.open(prepared, 2**30, LimitConfig())
    test = read_split(prepared, "test", data.schema)
    reference = REFERENCES["LogisticRegression"]
    assert reference.most_rows(data.schema) == 10_000
    assert REFERENCES["HistGradientBoostingClassifier"].most_rows(data.schema) == 0
    answers = reference.answers(data.schema, data.train, test)
    assert np.mean(answers.argmax(axis=1) == test.target) > 0.3
    assert pa.types.is_binary(test.table["recording"].type)
