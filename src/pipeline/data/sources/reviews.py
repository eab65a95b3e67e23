"""Short reviews from a small grammar, in which the order of the words decides.

A clause praises or blames one thing, with a word of that kind or with the negation of the other kind. Most reviews hold
a clause of each kind, and what stands behind `but`, or away from `although`, decides. So the words alone say little: of
two reviews with the same words, one may be good and the other one bad.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from pipeline.config import DatasetConfig
from pipeline.config.checks import check
from pipeline.data.schema import Column
from pipeline.data.sources.source import Columns, Source, target_column
from pipeline.data.types.text import TextColumn

TEXT, TARGET = "review", "opinion"
GOOD, BAD = "good", "bad"
ADJECTIVES = {
    GOOD: "good great lovely friendly quick clean fresh warm honest charming pleasant superb tasty fair calm neat",
    BAD: "bad awful rude slow dirty stale cold dull noisy bland greasy costly sloppy gloomy shabby harsh",
}
THINGS = "food service room staff view coffee music bread garden soup menu waiter bed bath street breakfast bar price"
NEGATIONS = ("not", "never", "hardly", "by no means")
DEGREES = ("very", "quite", "really", "rather", "so")
OPENINGS = ("honestly", "in my view", "all in all", "we stayed a night", "a short visit", "to be fair")
MOST_ROWS = 1_000_000


@dataclass
class ReviewsDataset(DatasetConfig):
    """There are `rows` reviews. Of the labels, the share `noise` is wrong, so no model can be right more often than
    1 - noise, in the long run. `contrast` is the share of reviews in which one clause contradicts the other one."""

    rows: int = 2500
    noise: float = 0.03
    contrast: float = 0.7
    seed: int = 1

    def check(self) -> None:
        super().check()
        check(100 <= self.rows <= MOST_ROWS, "dataset.rows", self.rows, f"100 to {MOST_ROWS}")
        check(0 <= self.noise < 0.5, "dataset.noise", self.noise, "at least 0 and less than 0.5")
        check(0 <= self.contrast <= 1, "dataset.contrast", self.contrast, "a share between 0 and 1")
        check(self.task == "binary", "dataset.task", self.task, "binary")


def columns(config: ReviewsDataset, root: Path) -> Columns:
    return Columns([Column(TEXT, TextColumn("text"))], target_column(config, TARGET, [BAD, GOOD]))


def batches(config: ReviewsDataset, root: Path) -> Iterator[pa.RecordBatch]:
    rng = np.random.Generator(np.random.PCG64(config.seed))
    opinions = [GOOD if rng.random() < 0.5 else BAD for _ in range(config.rows)]
    texts = [_review(rng, opinion, rng.random() < config.contrast) for opinion in opinions]
    labels = [_other(opinion) if rng.random() < config.noise else opinion for opinion in opinions]
    yield pa.RecordBatch.from_pydict({TEXT: pa.array(texts), TARGET: pa.array(labels)})


def _other(opinion: str) -> str:
    return BAD if opinion == GOOD else GOOD


def _one(rng: np.random.Generator, of: tuple[str, ...] | list[str]) -> str:
    return of[int(rng.integers(len(of)))]


def _review(rng: np.random.Generator, opinion: str, contrast: bool) -> str:
    first, second = (_clause(rng, _other(opinion) if contrast and i == 0 else opinion) for i in range(2))
    if contrast:
        form = _one(rng, ("{0}, but {1}.", "although {0}, {1}.", "{1}, although {0}."))
    else:
        form = _one(rng, ("{0}.", "{0}, and {1}."))
    opening = f"{_one(rng, OPENINGS)}, " if rng.random() < 0.5 else ""
    return opening + form.format(first, second)


def _clause(rng: np.random.Generator, opinion: str) -> str:
    negated = rng.random() < 0.4
    adjective = _one(rng, ADJECTIVES[_other(opinion) if negated else opinion].split())
    words = ["the", _one(rng, THINGS.split()), "was"]
    words += [_one(rng, NEGATIONS)] if negated else []
    words += [_one(rng, DEGREES)] if rng.random() < 0.3 else []
    return " ".join([*words, adjective])


def best_possible(config: ReviewsDataset) -> dict[str, float]:
    """Who reads each review rightly is wrong where the label is."""
    return {"accuracy": 1 - config.noise}


SOURCE = Source(ReviewsDataset, lambda config: ["text"], columns, batches, best_possible=best_possible)
