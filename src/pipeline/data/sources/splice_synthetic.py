"""Windows of DNA around the ends of introns, drawn from the frequencies of bases at real ones, so that there are
sequences without a network. How well a model can do is known from the same frequencies.

The bases at donor and acceptor sites are about those of Shapiro and Senapathy 1987; all others are drawn with the same
probability. A site is a few places away from the middle of its window. Many of the windows with no site have a decoy:
the GT or AG that a site has, in a wrong surrounding. So it does not suffice to count bases at fixed places.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.config import DatasetConfig
from pipeline.config.checks import check
from pipeline.data.schema import Column
from pipeline.data.sources.source import Columns, Source, target_column
from pipeline.data.types.sequence import SequenceColumn

WINDOW, SITE, BASES = "window", "site", "ACGT"
LENGTH, MIDDLE = 60, 30  # the first base behind the boundary of exon and intron
SAMPLE, SAMPLE_SEED = 20_000, 1  # windows from which the best possible accuracy is computed

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Kind:
    """A kind of window: its class, its share of all windows, and the probabilities (L, 4) of the bases from `before`
    places before the boundary on."""

    site: str
    share: float
    before: int
    matrix: Array


# A row of probabilities in percent of A, C, G and T for each place: MAG|GTRAGT
DONOR = [
    (33, 37, 18, 12),
    (60, 13, 12, 15),
    (8, 4, 81, 7),
    (0, 0, 100, 0),
    (0, 0, 0, 100),
    (49, 3, 45, 3),
    (71, 7, 12, 10),
    (6, 5, 84, 5),
    (15, 19, 20, 46),
]
# ten pyrimidines, any base, and CAG|G
ACCEPTOR = [
    *[(10, 32, 10, 48)] * 10,
    (25, 25, 25, 25),
    (4, 65, 1, 30),
    (100, 0, 0, 0),
    (0, 0, 100, 0),
    (24, 14, 52, 10),
]
DECOY_GT, DECOY_AG = [(0, 0, 100, 0), (0, 0, 0, 100)], [(100, 0, 0, 0), (0, 0, 100, 0)]
CLASSES = ["acceptor", "donor", "neither"]


@dataclass
class SpliceSyntheticDataset(DatasetConfig):
    """A quarter of `rows` windows has a donor site, a quarter an acceptor site. Of the others, a share `decoys` has a
    decoy. A site is up to `shift` places away from the middle. The same `seed` gives the same windows."""

    rows: int = 3000
    shift: int = 1
    decoys: float = 0.6
    seed: int = 0

    def check(self) -> None:
        super().check()
        check(self.rows >= 1, "dataset.rows", self.rows, "1 or more")
        check(0 <= self.shift <= 15, "dataset.shift", self.shift, "0 to 15")
        check(0 <= self.decoys <= 1, "dataset.decoys", self.decoys, "a share from 0 to 1")
        check(self.seed >= 0, "dataset.seed", self.seed, "0 or more")
        check(self.task == "multiclass", "dataset.task", self.task, "multiclass")


def columns(config: SpliceSyntheticDataset, root: Path) -> Columns:
    return Columns([Column(WINDOW, SequenceColumn("sequence"))], target_column(config, SITE, CLASSES))


def batches(config: SpliceSyntheticDataset, root: Path) -> Iterator[pa.RecordBatch]:
    """All rows at once."""
    kinds = kinds_of(config)
    which, bases = windows(config, config.rows, config.seed)
    texts = np.frombuffer(BASES.encode(), "S1")[bases].view(f"S{LENGTH}").reshape(-1).astype(str)
    sites = np.array([kind.site for kind in kinds])[which]
    yield pa.RecordBatch.from_pydict({WINDOW: pa.array(texts), SITE: pa.array(sites)})


def kinds_of(config: SpliceSyntheticDataset) -> list[Kind]:
    """The kinds of windows; the last one has neither a site nor a decoy."""
    decoy = config.decoys / 4
    parts = [("donor", 0.25, 3, DONOR), ("acceptor", 0.25, 14, ACCEPTOR)]
    parts += [("neither", decoy, 0, DECOY_GT), ("neither", decoy, 2, DECOY_AG)]
    kinds = [Kind(site, share, before, np.array(percent) / 100) for site, share, before, percent in parts]
    return [*kinds, Kind("neither", 0.5 - 2 * decoy, 0, np.zeros((0, 4)))]


def windows(config: SpliceSyntheticDataset, rows: int, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The kinds (N,) of so many windows, and their bases (N, LENGTH)."""
    random = np.random.Generator(np.random.PCG64(seed))
    kinds = kinds_of(config)
    which = random.choice(len(kinds), rows, p=[kind.share for kind in kinds])
    bases = random.integers(0, len(BASES), (rows, LENGTH))
    shift = random.integers(-config.shift, config.shift + 1, rows)
    for number, kind in enumerate(kinds):
        (chosen,) = np.nonzero(which == number)
        drawn = random.random((len(chosen), len(kind.matrix), 1)) >= np.cumsum(kind.matrix, axis=1)[:, :3]
        places = MIDDLE - kind.before + shift[chosen, np.newaxis] + np.arange(len(kind.matrix))
        bases[chosen[:, np.newaxis], places] = drawn.sum(axis=2)
    return which, bases


def posterior(config: SpliceSyntheticDataset, bases: NDArray[np.int64]) -> Array:
    """The probabilities (N, K) of the classes of windows, by Bayes' rule. A kind's probability of a window is the mean
    over all shifts."""
    found: Array = np.zeros((len(bases), len(CLASSES)))
    for kind in kinds_of(config):
        ratio = len(BASES) * kind.matrix  # to bases that are drawn with the same probability
        of_shift = [
            np.prod([row[bases[:, start + i]] for i, row in enumerate(ratio)], axis=0, initial=1.0)
            for start in MIDDLE - kind.before + np.arange(-config.shift, config.shift + 1)
        ]
        found[:, CLASSES.index(kind.site)] += kind.share * np.mean(of_shift, axis=0)
    found /= found.sum(axis=1, keepdims=True)
    return found


def best_possible(config: SpliceSyntheticDataset) -> dict[str, float]:
    """The expected accuracy of who knows how windows are drawn and names the most probable class, as the mean over many
    windows of that class' probability. A few test rows may come out better by chance."""
    _, bases = windows(config, SAMPLE, SAMPLE_SEED)
    return {"accuracy": round(float(posterior(config, bases).max(axis=1).mean()), 4)}


SOURCE = Source(SpliceSyntheticDataset, lambda config: ["sequence"], columns, batches, best_possible=best_possible)
