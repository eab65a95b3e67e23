"""Numbers that pile up at their greatest value, and categories of few rows, are told."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.data import frequencies
from pipeline.data.frequencies import pile_of
from tests.unit.data.test_bad_tables import prepare

RANDOM = np.random.default_rng(0)
NORMAL = RANDOM.normal(size=2000)
AGES = RANDOM.integers(1, 60, 2000).astype(float)


@pytest.mark.parametrize(
    ("values", "pile"),
    [
        (NORMAL, None),
        (np.minimum(NORMAL, 1.5), (1.5, int((NORMAL >= 1.5).sum()))),
        (np.minimum(AGES, 52), (52.0, int((AGES >= 52).sum()))),
        (AGES, None),
        (np.minimum(AGES, 5), None),  # as grades are, of which the best may be the most frequent
        (np.where(np.arange(2000) < 19, 9.0, NORMAL), None),
        (np.maximum(NORMAL, -1.5), None),
        (np.zeros(2000), None),
        (np.full(2000, np.nan), None),
    ],
)
def test_a_pile_at_the_greatest_number(
    values: np.ndarray, pile: tuple[float, int] | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frequencies, "MOST_ROWS", 300)
    pq.write_table(pa.table({"x": pa.array(values, from_pandas=True)}), tmp_path / "t.parquet")
    with pq.ParquetFile(tmp_path / "t.parquet") as file:
        assert pile_of(file, "x") == pile


def test_prepare_says_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [f"{value},{'abc'[2 if i < 9 else i % 2]},{min(i, 240) / 8}" for i, value in enumerate(NORMAL[:300])]
    prepare(tmp_path, "\n".join(["x,kind,y", *rows]))
    said = capsys.readouterr().out
    assert "tabled: 'y' is 30, its greatest value, in " in said
    assert " training rows, and much less often any value near it, as if larger ones were cut off\n" in said
    assert "tabled: 'kind' has categories of fewer than 10 training rows: 'c' " in said
    assert "'x' is" not in said
