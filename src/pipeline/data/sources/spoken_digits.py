"""Spoken digits that are made by a computer, so that there is speech without a network. How well a model can do is
known: a share of the labels is drawn at random."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from pipeline.config import DatasetConfig
from pipeline.config.checks import check, check_rate
from pipeline.config.data import GROUP
from pipeline.data.schema import Column
from pipeline.data.sources.formants import DIGITS, RATE, SAMPLES, Speaker, utterances
from pipeline.data.sources.source import Columns, Source, target_column
from pipeline.data.types.audio import AudioColumn
from pipeline.data.types.category import CategoryColumn

RECORDING, DIGIT, SPEAKER = "recording", "digit", "speaker"


@dataclass
class SpokenDigitsDataset(DatasetConfig):
    """Each of `speakers` speaks `clips` digits, which are drawn at random. The same `seed` gives the same recordings.
    Of a share `label_noise` of them, the label is drawn at random too. All recordings of a speaker go to one split."""

    speakers: int = 40
    clips: int = 48
    seed: int = 0
    label_noise: float = 0.02

    def check(self) -> None:
        super().check()
        for name in ("speakers", "clips"):
            check(getattr(self, name) >= 1, f"dataset.{name}", getattr(self, name), "1 or more")
        check_rate("dataset.label_noise", self.label_noise)
        check(self.task == "multiclass", "dataset.task", self.task, "multiclass")
        check(self.group is None, "dataset.group", self.group, "nothing, since speakers are groups anyway")


def columns(config: SpokenDigitsDataset, root: Path) -> Columns:
    recording = Column(RECORDING, AudioColumn("audio", rate=RATE, seconds=SAMPLES / RATE))
    speaker = Column(SPEAKER, CategoryColumn("category"))
    return Columns([recording], target_column(config, DIGIT, list(DIGITS)), {GROUP: speaker})


def batches(config: SpokenDigitsDataset, root: Path) -> Iterator[pa.RecordBatch]:
    """All recordings of a few speakers at a time."""
    random = np.random.Generator(np.random.PCG64(config.seed))
    names = np.array(list(DIGITS))
    for number in range(config.speakers):
        speaker = Speaker.random(random)
        digits = random.integers(0, len(names), config.clips)
        sounds = utterances(digits, [speaker] * config.clips, random)
        drawn = random.random(config.clips) < config.label_noise
        labels = np.where(drawn, random.integers(0, len(names), config.clips), digits)
        yield pa.RecordBatch.from_pydict(
            {
                RECORDING: pa.FixedSizeListArray.from_arrays(pa.array(sounds.reshape(-1)), SAMPLES),
                DIGIT: pa.array(names[labels]),
                SPEAKER: pa.repeat(f"speaker {number + 1}", config.clips),
            }
        )


def best_possible(config: SpokenDigitsDataset) -> dict[str, float]:
    """A label that is drawn at random is right by chance in one case of ten."""
    return {"accuracy": 1 - config.label_noise * (1 - 1 / len(DIGITS))}


SOURCE = Source(SpokenDigitsDataset, lambda config: ["audio"], columns, batches, best_possible=best_possible)
