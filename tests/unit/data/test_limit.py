"""trainer.limit: fewer rows, chosen by content, the same from memory and from disk."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.config import LimitConfig
from pipeline.data import prepared
from pipeline.data.prepared import Split, open_split
from pipeline.data.sampling import limited
from pipeline.errors import ConfigError
from tests.contracts.test_families import ROWS, rows_of, schema_of
from tests.contracts.test_streaming import on_disk
from tests.made import array_of


@pytest.mark.parametrize(
    ("limit", "expected"), [((10, 1.0), 10), ((None, 0.05), 3), ((2, 0.05), 2), ((500, 1.0), ROWS)]
)
def test_rows(limit: tuple[int | None, float], expected: int) -> None:
    split = rows_of(schema_of("image", "multiclass"), 1)
    few = limited(split, LimitConfig(*limit))
    assert few.num_rows == expected
    places = [split.rows.tolist().index(row) for row in few.rows]
    assert places == sorted(places)
    np.testing.assert_array_equal(array_of(few, "image"), array_of(split, "image")[places])
    np.testing.assert_array_equal(few.target, split.target[places])


def test_fewer_rows_of_the_same_are_among_them() -> None:
    split = rows_of(schema_of("image", "multiclass"), 1)
    assert set(limited(split, LimitConfig(3)).rows) < set(limited(split, LimitConfig(9)).rows)


def test_a_seed_keeps_other_rows_and_fewer_of_the_same_are_among_them() -> None:
    split = rows_of(schema_of("image", "multiclass"), 1)
    few, more = (set(limited(split, LimitConfig(rows, seed=1)).rows) for rows in (3, 9))
    assert few < more
    assert more != set(limited(split, LimitConfig(9, seed=2)).rows)


def test_disk_and_memory_agree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepared, "CHUNK_ROWS", 16)
    schema = schema_of("image", "multiclass")
    data = on_disk(tmp_path, ("cnn", "image", "multiclass"))
    streamed, resident = (limited(open_split(data, "train", schema, most), LimitConfig(20)) for most in (1, 2**30))
    assert isinstance(streamed, Split)
    np.testing.assert_array_equal(streamed.rows, resident.rows)
    np.testing.assert_array_equal(array_of(streamed, "image"), array_of(resident, "image"))


def test_no_rows_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"trainer\.limit\.rows: found 0, expected 1 or more, or null\."):
        LimitConfig(0).check()
    with pytest.raises(ConfigError, match=r"trainer\.limit\.fraction: found 0, expected more than 0, at most 1\."):
        LimitConfig(None, 0).check()
