"""Spoken digits that are made: the same for the same seed, and with as many wrong labels as it says."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from pipeline.config import PrepareConfig, SplitConfig
from pipeline.data.prepared import best_possible, read_split
from pipeline.data.schema import Schema
from pipeline.data.sources.formants import DIGITS, SAMPLES
from pipeline.data.sources.spoken_digits import SOURCE, SpokenDigitsDataset
from pipeline.data.writing import write_prepared
from pipeline.errors import ConfigError
from pipeline.files import digest_file
from pipeline.layout import MANIFEST


def dataset(**settings: Any) -> SpokenDigitsDataset:
    return SpokenDigitsDataset("spoken", "spoken_digits", "multiclass", **settings)


def rows(**settings: Any) -> pa.Table:
    return pa.Table.from_batches(SOURCE.batches(dataset(**settings), Path()))


def test_a_seed_makes_the_same_recordings() -> None:
    small = {"speakers": 3, "clips": 20}
    first = rows(**small)
    assert first == rows(**small)
    assert first != rows(**small, seed=1)
    assert first.num_rows == 60
    assert first["recording"].type == pa.list_(pa.int16(), SAMPLES)
    assert set(first["digit"].to_pylist()) <= set(DIGITS)
    sounds = first["recording"].combine_chunks().flatten().to_numpy().reshape(60, SAMPLES)
    assert (np.abs(sounds.astype(int)).max(axis=1) > 1000).all()
    assert len(np.unique(sounds, axis=0)) == 60


def test_wrong_labels_are_those_that_it_says() -> None:
    true, noisy = rows(speakers=4, clips=100, label_noise=0.0), rows(speakers=4, clips=100, label_noise=0.3)
    assert true["recording"] == noisy["recording"]
    same = np.mean(np.array(true["digit"].to_pylist()) == np.array(noisy["digit"].to_pylist()))
    best = SOURCE.best_possible(dataset(label_noise=0.3))["accuracy"]
    assert best == pytest.approx(0.73)
    assert abs(same - best) < 3 * np.sqrt(best * (1 - best) / 400)


def test_speakers_to_test_are_in_no_other_split(tmp_path: Path) -> None:
    digests = []
    for attempt in ("first", "second"):
        folder = tmp_path / attempt
        folder.mkdir()
        summary = write_prepared(
            PrepareConfig(SplitConfig(1, 0.2, 0.2), dataset(speakers=12, clips=40)), folder, Path()
        )
        digests.append(digest_file(folder / MANIFEST))
    assert digests[0] == digests[1]
    assert {split: counts["rows"] % 40 for split, counts in summary.items()} == dict.fromkeys(summary, 0)
    assert sum(counts["rows"] for counts in summary.values()) == 480
    schema = Schema.read(folder)
    assert [column.name for column in schema.features] == ["recording"]
    assert read_split(folder, "test", schema).num_rows == summary["test"]["rows"]
    assert best_possible(folder) == {"accuracy": pytest.approx(0.982)}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"speakers": 0}, "dataset.speakers: found 0, expected 1 or more."),
        ({"label_noise": 1.5}, "dataset.label_noise: found 1.5, expected a rate of at least 0 and less than 1."),
        ({"group": "speaker"}, "dataset.group: found 'speaker', expected nothing, since speakers are groups anyway."),
    ],
)
def test_what_it_cannot_make(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        dataset(**settings).check()
