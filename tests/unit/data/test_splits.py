"""A row's split is a function of its inputs, its group or its time, and the split's seed."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from pipeline.config import SplitConfig
from pipeline.data.digest_file import DigestFile
from pipeline.data.digests import combined, hexadecimal
from pipeline.data.splits import (
    FOLDS,
    NOWHERE,
    PLACES,
    Folds,
    by_hash,
    by_rank,
    by_stretch,
    by_time,
    check_counts,
    num_tests_known,
)
from pipeline.data.types import TYPES
from pipeline.errors import ConfigError, DataError

CONFIG = SplitConfig(seed=3, test=0.2, validation=0.1)
TRAIN, VALIDATION, TEST = (PLACES[name] for name in ("train", "validation", "test"))


def digests(values: np.ndarray) -> np.ndarray:
    return combined([TYPES["number"].digest(pa.array(column)) for column in values.T])


@pytest.fixture
def values() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(2000, 3))


def test_added_rows_move_no_other(values: np.ndarray) -> None:
    assert (by_hash(digests(values), CONFIG)[:1500] == by_hash(digests(values[:1500]), CONFIG)).all()


def test_equal_rows_land_together(values: np.ndarray) -> None:
    places = by_hash(digests(np.concatenate([values, values])), CONFIG)
    assert (places[:2000] == places[2000:]).all()


def test_digests_are_the_same_on_every_machine() -> None:
    found = hexadecimal(digests(np.array([[1.0, 2.0], [2.0, 1.0]])))
    assert found.to_pylist() == ["e12e4d3c843080e3", "0be5a8f0165df78b"]


def test_zero_has_one_sign() -> None:
    assert digests(np.array([[0.0, 1.0]])) == digests(np.array([[-0.0, 1.0]]))


def test_fractions_are_met_in_expectation(values: np.ndarray) -> None:
    places = by_hash(digests(values), CONFIG)
    # four standard deviations of a binomial share of 2,000 rows
    assert abs((places == TEST).mean() - 0.2) < 4 * np.sqrt(0.2 * 0.8 / 2000)
    assert abs((places == VALIDATION).mean() - 0.1) < 4 * np.sqrt(0.1 * 0.9 / 2000)


def test_another_split_seed_moves_rows(values: np.ndarray) -> None:
    other = SplitConfig(seed=4, test=0.2, validation=0.1)
    assert (by_hash(digests(values), CONFIG) != by_hash(digests(values), other)).any()


def test_the_last_rows_are_for_testing_and_instants_stay_together() -> None:
    times = np.random.default_rng(0).integers(0, 40, 1000)
    places = by_time(times, CONFIG)
    assert times[places == TRAIN].max() < times[places == VALIDATION].min()
    assert times[places == VALIDATION].max() < times[places == TEST].min()
    assert 0.15 < (places == TEST).mean() < 0.25
    later = by_time(times + 10**15, CONFIG)
    assert (later == places).all()


def test_a_group_stays_together_and_nothing_is_trained_on_that_is_later_than_another_split_begins() -> None:
    random = np.random.default_rng(1)
    groups = random.integers(0, 200, 1000).astype(np.uint64)
    times = groups.astype(np.int64) * 10 + random.integers(0, 30, 1000)
    places = by_time(times, CONFIG, groups)
    for group in np.unique(groups):
        assert len(set(places[groups == group])) == 1
    last = {place: [times[groups == g].max() for g in np.unique(groups[places == place])] for place in (0, 1, 2)}
    assert max(last[TRAIN]) < min(last[VALIDATION])
    assert max(last[VALIDATION]) < min(last[TEST])
    assert set(places) == {TRAIN, VALIDATION, TEST}


def test_stretches_of_two_splits_share_no_instant() -> None:
    window = 10
    ends = np.random.default_rng(2).permutation(np.repeat(np.arange(window, 300), 2))  # two series
    starts = ends - window
    places = by_stretch(starts, ends, CONFIG)
    last = {split: ends[places == split].max() for split in (TRAIN, VALIDATION)}
    assert last[TRAIN] < starts[places == VALIDATION].min()
    assert last[VALIDATION] < starts[places == TEST].min()
    assert (places == TEST).sum() == round(0.2 * len(ends))
    assert (places == VALIDATION).sum() == round(0.1 * len(ends))
    assert (places == NOWHERE).sum() == 2 * 2 * window


def test_each_row_is_tested_in_one_fold_and_validates_in_none_of_the_same(values: np.ndarray) -> None:
    places = np.stack([by_hash(digests(values), SplitConfig(3, 0.2, 0.1, 5, fold)) for fold in range(5)])
    assert ((places == TEST).sum(axis=0) == 1).all()
    assert np.abs((places == VALIDATION).mean(axis=1) - 0.1).max() < 4 * np.sqrt(0.1 * 0.9 / 2000)
    added = np.concatenate([values, values + 1])
    assert (by_hash(digests(added), SplitConfig(3, 0.2, 0.1, 5, 2))[:2000] == places[2]).all()


@pytest.mark.parametrize(("count", "folds"), [(6, 5), (6, 6), (40, 5)])
def test_few_groups_make_folds_with_each_seed(count: int, folds: int) -> None:
    groups = digests(np.repeat(np.arange(count), 3)[:, np.newaxis].astype(float))
    for seed in range(20):
        places = np.stack([by_rank(groups, SplitConfig(seed, 0.2, 0.1, folds, fold)) for fold in range(folds)])
        assert ((places == TEST).sum(axis=0) == 1).all()
        assert (places.reshape(folds, count, 3) == places.reshape(folds, count, 3)[:, :, :1]).all()
        numbers = np.stack([(places == place).sum(axis=1) // 3 for place in (TRAIN, VALIDATION, TEST)])
        assert (numbers > 0).all()
        assert np.ptp(numbers[2]) <= 1
        assert (numbers[1] == max(1, count // 10)).all()


@pytest.mark.parametrize(
    ("folds", "text"),
    [
        ((1, 0), "split.folds: found 1, expected 2 or more, or null."),
        ((5, 5), "split.fold: found 5, expected 0 to 4, as there are 5 folds."),
        ((5, None), "split.fold: found None, expected 0 to 4, as there are 5 folds."),
        ((None, 1), "split.fold: found 1, expected nothing without split.folds."),
    ],
)
def test_folds_that_there_are_not(folds: tuple[int | None, int | None], text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        SplitConfig(3, 0.2, 0.1, *folds).check()
    assert str(caught.value) == text
    SplitConfig(3, 0.2, 0.1, 5, 4).check_method("hash")
    with pytest.raises(ConfigError, match=r"split\.folds: found 5, expected nothing with dataset\.split=time\."):
        SplitConfig(3, 0.2, 0.1, 5, 4).check_method("time")


def test_folds_as_given() -> None:
    folds = Folds()
    folds.append(pa.array(["train", "test"]))
    folds.append(pa.array(["validation"]))
    assert folds.places("d", "fold").tolist() == [TRAIN, TEST, VALIDATION]
    folds.append(pa.array(["train", "valid"]))
    folds.append(pa.array(["dev"]))
    with pytest.raises(DataError, match=r"dataset d: column 'fold' holds dev, valid, expected train, validation, test"):
        folds.places("d", "fold")


def test_class_missing_from_a_split_is_refused() -> None:
    with pytest.raises(DataError, match="dataset d: split train has 0 rows of class 'yes', expected at least 1"):
        check_counts("d", {"train": {"rows": 3, "classes": {"no": 3, "yes": 0}}}, "hash")
    with pytest.raises(DataError, match=r"Add rows, take another number of folds, or try another split\.seed\."):
        check_counts("d", {"test": {"rows": 0, "classes": {}}}, FOLDS)


def test_rows_that_are_in_no_split_make_no_test_row_known(tmp_path: Path) -> None:
    rows = DigestFile(tmp_path / "digests")
    rows.append(np.array([1, 2, 3, 1, 2, 3, 3], np.uint64))
    places = np.array([TEST, TEST, TEST, NOWHERE, TRAIN, VALIDATION, TEST], np.int8)
    assert num_tests_known(places, rows) == 3
