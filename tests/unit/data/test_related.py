"""`prepare` writes down which test rows hang together, and nothing where they are independent."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from pipeline.config import PrepareConfig, SplitConfig
from pipeline.data.related import Groups, Related, Stretches, joined, overlap, read_related, rows_together
from pipeline.data.writing import write_prepared
from tests.unit.data.test_near import prepare as prepare_texts
from tests.unit.data.test_series_source import dataset as series
from tests.unit.data.test_table_source import dataset as table


def prepare(root: Path, lines: list[str], config: Any, *folds: int) -> tuple[Related | None, dict[str, list[Any]]]:
    """What is known of the test rows, and these rows. `folds` may be how many folds there are, and which one it is."""
    (root / "t.csv").write_text("\n".join(lines) + "\n")
    folder = root / "prepared"
    folder.mkdir()
    write_prepared(PrepareConfig(SplitConfig(1, 0.3, 0.1, *folds), config), folder, root)
    return read_related(folder), pq.read_table(folder / "test.parquet").to_pydict()


def visits(count: int) -> list[str]:
    """Rows whose x says of which patient they are, and when."""
    return ["x,y,patient", *(f"{i},{'pq'[i % 7 % 2]},{i % 20}" for i in range(count))]


def test_the_groups_of_the_test_rows_stand_in_their_order(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    columns = {"x": "number", "patient": "number"}
    found, rows = prepare(tmp_path, visits(200), table(columns=columns, task="binary", group="patient"))
    assert isinstance(found, Groups)
    assert found.name == "patient"
    patients = np.array(rows["x"]) % 20
    assert len(found.of_row) == len(patients)
    pairs = set(zip(found.of_row.tolist(), patients.tolist(), strict=True))
    assert len(pairs) == len(set(patients)) == len(set(found.of_row))
    assert rows_together(found) == 10
    both = joined([found, found])
    assert isinstance(both, Groups)
    assert (both.of_row == np.tile(found.of_row, 2)).all()
    few = len(set(patients)) < 6
    groups = f"{len(set(patients))} groups (patient)"
    told = f"tabled: the test rows are {groups}; test scores of fewer than 6 have no interval at 0.95"
    assert (told in capsys.readouterr().out) == few


@pytest.mark.parametrize("settings", [{}, {"group": "x"}], ids=["no group", "groups of one row"])
def test_independent_rows_have_no_such_file(tmp_path: Path, settings: dict[str, str]) -> None:
    found, _ = prepare(
        tmp_path, visits(200), table(columns={"x": "number", "patient": "number"}, task="binary", **settings)
    )
    assert found is None
    assert rows_together(found) == 1
    assert not list((tmp_path / "prepared").glob("related*"))


def test_groups_of_one_row_are_kept_for_a_fold_since_another_may_have_larger_ones(tmp_path: Path) -> None:
    columns = {"x": "number", "patient": "number"}
    found, rows = prepare(tmp_path, visits(200), table(columns=columns, task="binary", group="x"), 5, 2)
    assert isinstance(found, Groups)
    assert len(found.of_row) == len(rows["row"])
    with pytest.raises(AssertionError, match="each fold has groups, or none has"):
        joined([found, None])


def test_a_few_odd_rows_do_not_stand_for_all() -> None:
    begin = np.arange(1000)
    end = begin + 23
    assert overlap(Stretches(begin, end)) == 24
    end[500:524] += 1500  # windows over an outage
    assert overlap(Stretches(begin, end)) <= 2 * 24


def test_near_copies_that_are_dealt_out_together_are_groups(tmp_path: Path) -> None:
    texts = prepare_texts(tmp_path, near_duplicates="group")["test"]
    found = read_related(tmp_path / "prepared")
    assert isinstance(found, Groups)
    assert len(np.unique(found.of_row)) == len(texts) == len(found.of_row) / 2


def test_rows_by_time_have_their_moment_and_windows_their_stretch(tmp_path: Path) -> None:
    by_time = table(columns={"x": "number", "patient": "number"}, task="binary", split="time", time="x")
    moments, rows = prepare(tmp_path, visits(200), by_time)
    assert isinstance(moments, Stretches)
    assert (moments.begin == moments.end).all()
    assert overlap(moments) == 1
    assert len(moments.end) == len(rows["row"]) == 60
    (tmp_path / "series").mkdir()
    lines = ["at,of,load,warm", *(f"{i},a,{i * i % 7},{i}" for i in range(100))]
    columns = {"at": "number", "load": "number", "warm": "number"}
    stretches, rows = prepare(tmp_path / "series", lines, series(series=None, columns=columns, window=5, horizon=2))
    assert isinstance(stretches, Stretches)
    assert (stretches.end - stretches.begin == 6).all()
    assert len(stretches.end) == len(rows["row"])
    assert overlap(stretches) == rows_together(stretches) == 7
