"""The value that stands out is named, however many rows share it."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.data.prepared import Split
from pipeline.data.unusual import most_unusual_input


@pytest.mark.parametrize("share", [0.1, 0.6, 1.0])
def test_a_value_that_stands_for_no_data(share: float) -> None:
    random = np.random.default_rng(0)
    inputs = {"age": random.normal(50, 10, 20).astype(np.float32), "bmi": random.normal(0, 1e-3, 20).astype(np.float32)}
    known = Split(np.array([str(i) for i in range(20)]), inputs, np.zeros(20))
    bmi = inputs["bmi"].copy()
    bmi[: int(20 * share)] = -3.4e38
    assert most_unusual_input(replace(known, inputs=inputs | {"bmi": bmi}), 0, known) == "'bmi' is -3.4e+38"
