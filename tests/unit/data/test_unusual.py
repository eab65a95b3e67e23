"""The value that stands out is named, however many rows share it."""

import numpy as np
import pytest

from pipeline.data.unusual import most_unusual_input
from tests.made import split_of


@pytest.mark.parametrize("share", [0.1, 0.6, 1.0])
def test_a_value_that_stands_for_no_data(share: float) -> None:
    random = np.random.default_rng(0)
    columns = {"age": random.normal(50, 10, 20), "bmi": random.normal(0, 1e-3, 20)}
    known, bmi = split_of(columns), columns["bmi"].copy()
    bmi[: int(20 * share)] = -3.4e38
    assert most_unusual_input(split_of(columns | {"bmi": bmi}).table.slice(0, 1), known) == "'bmi' is -3.4e+38"
