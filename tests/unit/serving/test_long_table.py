"""`predict` cuts windows of a table with a row for each moment as `prepare` does, and forecasts what is not there."""

import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.compose import from_arguments
from pipeline.config import DriftConfig, PredictConfig
from pipeline.data.schema import Schema
from pipeline.data.sources import SOURCES
from pipeline.errors import DataError
from pipeline.serving.inputs import read_any, read_input
from pipeline.serving.long_table import spacing
from tests.unit.data.test_series_source import START, dataset, rows, windows_of

HOUR = datetime.timedelta(hours=1)
HEAD = "at,of,load,warm"


def schema_of(**settings: Any) -> Schema:
    """The schema of a model, as it comes back from its file."""
    made = dataset(**settings)
    columns = SOURCES["series"].columns(made, Path())
    return Schema.of_json(Schema("made", "regression", made.split, columns.features, "load", []).to_json())


def config(path: Path, *arguments: str) -> PredictConfig:
    return from_arguments(PredictConfig, ["model=m", f"input={path}", "output=out.csv", *arguments])


def asked(root: Path, lines: list[str], *arguments: str, **settings: Any) -> tuple[list[dict[str, Any]], np.ndarray]:
    """What the forecasts are of, and their windows."""
    path = root / "new.csv"
    path.write_text("\n".join([HEAD, *lines]) + "\n")
    told, windows = zip(*read_input(schema_of(**settings), config(path, *arguments)), strict=True)
    return pa.concat_tables(told).to_pylist(), windows_of(pa.concat_tables(windows))


def test_the_windows_of_prepare_and_those_whose_horizon_is_in_the_future(tmp_path: Path) -> None:
    lines = [*rows(7, "a"), *rows(5, "b", first=100)]
    told, windows = asked(tmp_path, lines, horizon=2)
    (tmp_path / "t.csv").write_text("\n".join([HEAD, *lines]) + "\n")
    made = pa.Table.from_batches(list(SOURCES["series"].batches(dataset(horizon=2), tmp_path)))
    known = [i for i, entry in enumerate(told) if entry["time"] <= START + (6 if entry["series"] == "a" else 4) * HOUR]
    assert np.array_equal(windows[known], windows_of(made))
    assert [(entry["series"], entry["window_ends"]) for entry in told] == [
        *(("a", START + i * HOUR) for i in range(2, 7)),
        *(("b", START + i * HOUR) for i in range(2, 5)),
    ]
    assert all(entry["time"] == entry["window_ends"] + 2 * HOUR for entry in told)
    assert windows[-1, :, 0].tolist() == [102, 103, 104], "the newest"


def test_the_newest_window_is_there_whatever_the_stride(tmp_path: Path) -> None:
    told, windows = asked(tmp_path, rows(12), stride=4)
    assert windows[:, 0, 0].tolist() == [0, 4, 8, 9]
    assert told[-1] == {"series": "a", "window_ends": START + 11 * HOUR, "time": START + 12 * HOUR}


def test_rows_in_order_are_told_by_their_numbers(tmp_path: Path) -> None:
    told, windows = asked(tmp_path, rows(5), time=None, series=None)
    assert told == [{"window_ends": number} for number in (3, 4, 5)]
    assert windows[:, 0, 0].tolist() == [0, 1, 2]


def test_gaps_are_treated_as_in_training(tmp_path: Path) -> None:
    lines = rows(12)
    del lines[5:7]
    told, windows = asked(tmp_path, lines, on_gap="split", horizon=2)
    assert windows[:, 0, 0].tolist() == [0, 1, 2, 7, 8, 9]
    assert told[2]["time"] == START + 6 * HOUR, "which is no row of the table"
    told, windows = asked(tmp_path, lines, on_gap="ignore", horizon=2)
    assert windows[:, 0, 0].tolist() == [0, 1, 2, 3, 4, 7, 8, 9]
    assert [entry["time"] for entry in told[-3:]] == [START + 11 * HOUR, None, None], "nobody knows how far apart"


def test_times_are_of_their_own_type_and_files_are_written_in_any_way(tmp_path: Path) -> None:
    columns = {"load": "number", "warm": "number", "at": {"type": "date", "format": "%d.%m.%Y"}}
    lines = [f"{i + 1:02}.03.2024;a;{i},5;1" for i in range(3)]
    (tmp_path / "new.csv").write_text("\n".join([HEAD.replace(",", ";"), *lines]).replace(",5", ".5"))
    ((told, _),) = read_input(schema_of(columns=columns), config(tmp_path / "new.csv", "separator=;"))
    days = {"window_ends": datetime.date(2024, 3, 3), "time": datetime.date(2024, 3, 4)}
    assert told.to_pylist() == [{"series": "a", **days}]
    plain = asked(tmp_path, ["0.1,a,1,1", "0.2,a,2,1", "0.3,a,3,1"], columns={**columns, "at": "number"})
    assert plain[0] == [{"series": "a", "window_ends": 0.3, "time": pytest.approx(0.4)}]


def test_rows_that_are_windows_are_taken_as_they_are(tmp_path: Path) -> None:
    windows = [[float(i) for i in range(6)]] * 2
    pq.write_table(pa.table({"series": windows, "row": ["p", "q"]}), tmp_path / "w.parquet")
    ((told, found),) = read_input(schema_of(), config(tmp_path / "w.parquet"))
    assert (told.to_pydict(), found["series"].to_pylist()) == ({"row": ["p", "q"]}, windows)
    moments = {"at": [START + i * HOUR for i in range(3)], "series": ["a"] * 3, "load": [1, 2, 3], "warm": [4, 5, 6]}
    pq.write_table(pa.table(moments), tmp_path / "m.parquet")
    ((told, found),) = read_input(schema_of(series="series"), config(tmp_path / "m.parquet"))
    assert (len(told), found["series"].to_pylist()) == (1, [[1, 4, 2, 5, 3, 6]])


@pytest.mark.parametrize(
    ("change", "settings", "text"),
    [
        (lambda r: [*r[:5], r[4], *r[5:]], {}, "new.csv: 1 row is of an instant that its series has already (row 6, "
         "series 'a': '2024-03-01 04:00:00'), expected each 'at' once in a series. Remove such rows, or name the "
         "column of the series."),
        (lambda r: [*r[:5], *r[7:]], {}, "new.csv: 1 row is not one step, 1:00:00, later than the row before (row 6, "
         "series 'a': 3:00:00 later). Fill the gap, or prepare and train with another on_gap."),
        (lambda r: r[:2], {}, "new.csv: 1 series is too short (row 1, series 'a': 2 rows), expected 3 rows or more "
         "without a gap: window 3. Add earlier rows."),
        (lambda r: [*r, *rows(2, "b")], {}, "new.csv: 1 series is too short (row 11, series 'b': 2 rows), expected 3 "
         "rows or more without a gap: window 3. Add earlier rows, or leave these series out."),
        (lambda r: [*r[:3], r[3].replace(",9", ",warm"), *r[4:]], {}, "new.csv: column 'warm': 1 value is not a "
         "finite number (row 4: 'warm'). Set on_bad_row: skip to leave such rows out."),
        (lambda r: [], {}, "new.csv: no rows, expected one or more."),
    ],
    ids=["doubled", "gap", "all short", "short", "no number", "empty"],
)  # fmt: skip
def test_what_prepare_refuses_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: Any, settings: Any, text: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("new.csv").write_text("\n".join([HEAD, *change(rows(10))]) + "\n")
    with pytest.raises(DataError) as caught:
        read_input(schema_of(**settings), config(Path("new.csv")))
    assert str(caught.value) == text


def test_a_table_without_a_channel_or_a_file_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "new.csv").write_text("at,of,load\n2024-03-01,a,1\n")
    for name, text in (("new.csv", "there is no column 'warm'"), ("other.csv", "not found, expected a file with rows")):
        with pytest.raises(DataError, match=text):
            read_input(schema_of(), config(tmp_path / name))


def test_drift_looks_at_windows_that_share_no_row_and_skips_what_cannot_be_used(tmp_path: Path) -> None:
    lines = rows(12)
    del lines[8]
    lines[1] = lines[1].replace(",1,", ",?,")
    (tmp_path / "new.csv").write_text("\n".join([HEAD, *lines]) + "\n")
    given = from_arguments(DriftConfig, ["dataset=made", f"input={tmp_path / 'new.csv'}"])
    found, refused = read_any(schema_of(columns={"load": "number", "warm": "number"}), given)
    assert windows_of(found)[:, 0, 0].tolist() == [2, 9]
    assert refused == {}


@pytest.mark.parametrize(
    ("window", "stride", "expected"), [(24, 1, 35), (24, 24, 24), (24, 30, 30), (168, 24, 240), (2, 1, 3), (1, 1, 1)]
)
def test_windows_for_drift_begin_at_all_hours_that_training_windows_begin_at(
    window: int, stride: int, expected: int
) -> None:
    found = spacing(window, stride)
    assert found == expected >= window
    places = {start % window for start in range(0, found * window, found)}
    assert places == {start % window for start in range(0, window * stride, stride)}
