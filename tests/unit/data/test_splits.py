"""A row's split is a function of its inputs and the split's seed."""

import numpy as np
import pytest

from pipeline.config import SplitConfig
from pipeline.data.schema import NUMERIC, Feature
from pipeline.data.splits import assign, check_counts, counts, row_digests, row_ids
from pipeline.data.table import Table
from pipeline.errors import DataError

CONFIG = SplitConfig(seed=3, test=0.2, validation=0.1)


def table(values: np.ndarray, target: np.ndarray | None = None) -> Table:
    names = [f"x{i}" for i in range(values.shape[1])]
    features = [Feature(name, NUMERIC, "float32", []) for name in names]
    inputs = {name: values[:, i].astype(np.float32) for i, name in enumerate(names)}
    target = np.zeros(len(values), np.int32) if target is None else target
    return Table(features, inputs, target, "target", ["no", "yes"])


@pytest.fixture
def values() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(2000, 3))


def test_added_rows_move_no_other(values: np.ndarray) -> None:
    before = assign(row_digests(table(values[:1500])), CONFIG)
    after = assign(row_digests(table(values)), CONFIG)
    assert (after[:1500] == before).all()


def test_equal_rows_land_together_and_have_ids_of_their_own(values: np.ndarray) -> None:
    doubled = np.concatenate([values, values])
    digests = row_digests(table(doubled))
    places = assign(digests, CONFIG)
    assert (places[:2000] == places[2000:]).all()
    ids = row_ids(digests)
    assert len(set(ids)) == len(ids)
    assert ids[2000] == f"{ids[0]}-1"


def test_zero_has_one_sign() -> None:
    assert row_digests(table(np.array([[0.0, 1.0]]))) == row_digests(table(np.array([[-0.0, 1.0]])))


def test_fractions_are_met_in_expectation(values: np.ndarray) -> None:
    places = assign(row_digests(table(values)), CONFIG)
    # four standard deviations of a binomial share of 2,000 rows
    assert abs((places == "test").mean() - 0.2) < 4 * np.sqrt(0.2 * 0.8 / 2000)
    assert abs((places == "validation").mean() - 0.1) < 4 * np.sqrt(0.1 * 0.9 / 2000)


def test_another_split_seed_moves_rows(values: np.ndarray) -> None:
    digests = row_digests(table(values))
    other = SplitConfig(seed=4, test=0.2, validation=0.1)
    assert (assign(digests, CONFIG) != assign(digests, other)).any()


def test_class_missing_from_a_split_is_refused(values: np.ndarray) -> None:
    rows = table(values)
    found = counts(rows, assign(row_digests(rows), CONFIG))
    with pytest.raises(DataError, match="dataset d: split train has 0 rows of class 'yes', expected at least 1"):
        check_counts("d", found)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_not_finite_is_refused(values: np.ndarray, bad: float) -> None:
    values[7, 1] = bad
    with pytest.raises(DataError, match="dataset d: column 'x1' holds NaN or infinity in 1 rows, first in row 7"):
        table(values).check("d", "regression")


def test_one_class_is_refused(values: np.ndarray) -> None:
    with pytest.raises(DataError, match="every row is of one class"):
        table(values).check("d", "binary")
