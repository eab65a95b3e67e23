"""Mean and deviation, of rows in one piece or in chunks."""

import numpy as np
import pytest

from pipeline.data.moments import mean_and_deviation, stretch

# the rounded mean of so many of these is another number
UNEVEN = [0.1, 1 / 3, 1e-30, 1e30, -7.7]


@pytest.mark.parametrize("value", UNEVEN)
@pytest.mark.parametrize("rows", [1, 3, 353])
def test_equal_values_have_deviation_0(value: float, rows: int) -> None:
    equal = np.full((rows, 2), value)
    mean, deviation = mean_and_deviation(lambda: np.array_split(equal, min(rows, 2)))
    assert mean.tolist() == [value, value]
    assert deviation.tolist() == [0, 0]
    assert stretch(deviation).tolist() == [1, 1], "they are not stretched"


def test_other_values_have_numpys() -> None:
    values = np.random.default_rng(0).normal(5, 3, 100)
    mean, deviation = mean_and_deviation(lambda: [values])
    assert (mean, deviation) == (values.mean(), values.std()), "to the bit, in one piece"
    in_chunks = mean_and_deviation(lambda: np.array_split(values, 7))
    np.testing.assert_allclose(in_chunks, (mean, deviation), rtol=1e-14)
