"""What is learned of the categories in the training rows."""

from collections import Counter

import numpy as np
import pyarrow as pa
import pytest

from pipeline.config import PreprocessingConfig
from pipeline.model.inputs import category as inputs
from pipeline.model.inputs.category import CategoryInput, Vocabulary
from tests.made import category

CHUNK = 50
RANDOM = np.random.default_rng(0)
NAMES = [f"c{i:02d}" for i in RANDOM.zipf(1.5, 4000) % 97]


def fitted(names: list[str | None], **config: int) -> Vocabulary:
    table = pa.table({"x": names})
    chunks = [table.slice(start, CHUNK) for start in range(0, table.num_rows, CHUNK)]
    (found,) = CategoryInput().fit(PreprocessingConfig(**config), [category("x")], lambda: chunks)
    return found


def test_the_vocabulary_is_that_of_all_rows() -> None:
    found = fitted([*NAMES, None], rare=20, most_categories=10)
    ordered = sorted(Counter(NAMES).items(), key=lambda entry: (-entry[1], entry[0]))
    own = [name for name, count in ordered if count >= 20][:10]
    assert found == Vocabulary(sorted(own), sorted(set(NAMES) - set(own)), True)
    assert not fitted(NAMES).flagged


def test_of_very_many_categories_those_that_come_often_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each other row has an id of its own, and no more than these are counted at a time."""
    ids = [f"id {i}" for i in range(len(NAMES))]
    names = [name for pair in zip(NAMES, ids, strict=True) for name in pair]
    usual = fitted(names, rare=20, most_categories=10)
    monkeypatch.setattr(inputs, "MOST_COUNTED", 300)
    found = fitted(names, rare=20, most_categories=10)
    assert found.own == usual.own
    assert len(found.rare) <= 300 < len(usual.rare)
