"""Windows around splice sites that are drawn by a computer: the same each time, and as hard as is said."""

import numpy as np
import pyarrow as pa
import pytest

from pipeline.config import check_all
from pipeline.data.sources.splice_sites import (
    BASES,
    CLASSES,
    LENGTH,
    MIDDLE,
    SOURCE,
    SpliceSitesDataset,
    kinds_of,
    posterior,
    windows,
)
from pipeline.errors import ConfigError
from tests.clones import ROOT


def dataset(**settings: float) -> SpliceSitesDataset:
    config = SpliceSitesDataset("made", "splice_sites", "multiclass", **settings)  # type: ignore[arg-type]
    check_all(config)
    return config


def test_the_same_seed_gives_the_same_windows() -> None:
    def rows(seed: int) -> pa.RecordBatch:
        (batch,) = SOURCE.batches(dataset(rows=200, seed=seed), ROOT)
        return batch

    first = rows(0)
    assert first == rows(0) != rows(1)
    assert set(first["site"].to_pylist()) == set(CLASSES)
    texts = first["window"].to_pylist()
    assert {len(text) for text in texts} == {LENGTH}
    assert texts[0] == "TCTACGGAGGTGTTAAGCGGCAGCTAGGCACGTTACGTATTTCAGAAAATGGTCAACGCC"


def test_sites_are_where_they_should_be() -> None:
    config = dataset(shift=0, decoys=1)
    which, bases = windows(config, 2000, 0)
    texts = np.array(["".join(BASES[i] for i in row) for row in bases])
    kinds = kinds_of(config)
    assert [kind.site for kind in kinds] == ["donor", "acceptor", "neither", "neither", "neither"]
    np.testing.assert_allclose(np.bincount(which, minlength=5) / 2000, [kind.share for kind in kinds], atol=0.03)
    for kind, at, pair in ((0, MIDDLE, "GT"), (1, MIDDLE - 2, "AG"), (2, MIDDLE, "GT"), (3, MIDDLE - 2, "AG")):
        assert {text[at : at + 2] for text in texts[which == kind]} == {pair}
    for kind in (0, 1):
        start = MIDDLE - kinds[kind].before
        found = [(bases[which == kind, start + i] == 0).mean() for i in range(len(kinds[kind].matrix))]
        np.testing.assert_allclose(found, kinds[kind].matrix[:, 0], atol=0.08)


@pytest.mark.parametrize("shift", [0, 2])
def test_bayes_rule_is_right_as_often_as_it_says(shift: int) -> None:
    config = dataset(shift=shift)
    which, bases = windows(config, 10_000, 7)
    sites = np.array([CLASSES.index(kind.site) for kind in kinds_of(config)])[which]
    chances = posterior(config, bases)
    right = (chances.argmax(axis=1) == sites).mean()
    assert abs(right - SOURCE.best_possible(config)["accuracy"]) < 0.01
    # what is said with a probability is right in that share of cases
    sure = chances.max(axis=1) > 0.9
    assert abs((chances.argmax(axis=1) == sites)[sure].mean() - chances.max(axis=1)[sure].mean()) < 0.01


def test_settings_that_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"dataset\.shift: found 16, expected 0 to 15"):
        dataset(shift=16)
    with pytest.raises(ConfigError, match=r"dataset\.decoys: found 2, expected a share"):
        dataset(decoys=2)
