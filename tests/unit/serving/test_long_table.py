"""`predict` cuts windows of a table with a row for each moment as `prepare` does, and forecasts what is not there."""

import datetime
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.arguments import from_arguments
from pipeline.config import DriftConfig, PredictConfig
from pipeline.data.profile.new_rows import NewRows, Unusable
from pipeline.data.profile.statistics import ColumnStatistics
from pipeline.data.schema import Schema
from pipeline.data.sources import SOURCES
from pipeline.errors import DataError
from pipeline.evaluation.drift import compare
from pipeline.serving.inputs import read_any, read_input
from pipeline.serving.windows_apart import spacing
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


def pace(step: float, **settings: Any) -> Schema:
    """The schema of a model whose training rows were so many microseconds apart."""
    schema = schema_of(**settings)
    (column,) = schema.features
    config = column.type.timed(column.config, np.full(9, 3 * step))  # a window of three rows, and a horizon of one
    return replace(schema, features=[replace(column, config=config)])


def test_rows_at_another_pace_than_those_for_training_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("new.csv").write_text("\n".join([HEAD, *rows(9)]) + "\n")
    text = (
        "new.csv: its rows are 1:00:00 apart, expected 1 day, 0:00:00, as those for training are. Bring them to that "
        "step, or train a model with rows like these."
    )
    day, hour = 24 * 3.6e9, 3.6e9
    with pytest.raises(DataError) as caught:
        read_input(pace(day), config(Path("new.csv")))
    assert str(caught.value) == text
    with pytest.raises(DataError) as caught:
        read_any(pace(day), from_arguments(DriftConfig, ["dataset=made", "input=new.csv"]))
    assert str(caught.value) == text
    for schema in (pace(hour), pace(day, on_gap="ignore"), pace(day, time=None, split="hash"), schema_of()):
        assert sum(len(windows) for _, windows in read_input(schema, config(Path("new.csv")))) == 7
    # too few rows to tell how far apart they are
    Path("new.csv").write_text("\n".join([HEAD, *rows(1)]) + "\n")
    schema = schema_of(window=1)
    (column,) = schema.features
    known = replace(column, config=column.type.timed(column.config, np.full(9, hour)))
    ((told, _),) = read_input(replace(schema, features=[known]), config(Path("new.csv")))
    assert told["time"].to_pylist() == [START + HOUR]


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


def test_bad_rows_are_left_out_if_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = rows(10)
    lines[3] = lines[3].replace(",9", ",warm")
    told, _ = asked(tmp_path, lines, "on_bad_row=skip", on_gap="split")
    assert [entry["window_ends"] for entry in told] == [START + i * HOUR for i in (2, 6, 7, 8, 9)]
    assert "skipped 1 of 10 rows (refused in warm: 1)" in capsys.readouterr().out


def test_a_table_without_a_channel_or_a_file_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "new.csv").write_text("at,of,load\n2024-03-01,a,1\n")
    for name, text in (("new.csv", "there is no column 'warm'"), ("other.csv", "not found, expected a file with rows")):
        with pytest.raises(DataError, match=text):
            read_input(schema_of(), config(tmp_path / name))


def compared(root: Path, lines: list[str], **settings: Any) -> NewRows:
    """What `drift` compares of a table."""
    (root / "new.csv").write_text("\n".join([HEAD, *lines]) + "\n")
    return read_any(pace(3.6e9, **settings), from_arguments(DriftConfig, ["dataset=made", f"input={root / 'new.csv'}"]))


@pytest.mark.parametrize(
    ("settings", "starts"),
    [({}, [2, 9]), ({"time": None, "split": "hash"}, [2, 6]), ({"on_gap": "ignore"}, [0, 7])],
    ids=["by time", "in order", "gaps ignored"],
)
def test_drift_looks_at_windows_that_share_no_row_and_counts_what_cannot_be_used(
    tmp_path: Path, settings: dict[str, Any], starts: list[int]
) -> None:
    lines = rows(12)
    del lines[8]
    lines[1] = lines[1].replace(",1,", ",?,")
    lines[5] = lines[5].replace(",25", ",none").replace(",a,", ",,")
    found = compared(tmp_path, [*lines, "", "x,a,1,2"], **settings, missing=["none", ""])
    assert windows_of(found.table)[:, 0, 0].tolist() == starts
    assert found.overlap == 1
    counts = {part.part: (part.missing, part.refused, part.values) for part in found.unusable["series"]}
    times = {} if "time" in settings else {"at": (0, 1, 12)}
    assert counts == {"load": (0, 1, 12), "warm": (1, 0, 12), **times, "of": (1, 0, 12)}


def test_drift_of_rows_of_which_none_can_be_used_is_told(tmp_path: Path) -> None:
    found = compared(tmp_path, [line.replace(",a,", ",a,broken") for line in rows(120)])
    assert found.table.num_rows == 0
    known = [ColumnStatistics("series", "series", 500, 0, 500, apart=100, parts={"level of load": [0.0, 1.0]})]
    measures = compare(pace(3.6e9).features, known, found, 0.1, 0.95)
    verdicts = {measure.what: (measure.verdict, measure.value, measure.rows) for measure in measures}
    assert verdicts["none of its type in load"] == ("drift", 1.0, 120)
    assert verdicts["level of load"][0] == "too few rows"
    assert verdicts["missing in load"][:2] == ("unclear", 0.0)
    # neighbours are often so for one reason: 30 windows' worth of rows are needed to tell anything
    few = compared(tmp_path, [line.replace(",a,", ",a,broken") for line in rows(89)])
    assert {measure.verdict for measure in compare(pace(3.6e9).features, known, few, 0.1, 0.95)} == {"too few rows"}


def test_windows_in_a_file_share_rows_as_those_for_training_do(tmp_path: Path) -> None:
    pq.write_table(pa.table({"series": [[float(i) for i in range(6)]] * 9, "row": ["p"] * 9}), tmp_path / "w.parquet")
    given = from_arguments(DriftConfig, ["dataset=made", f"input={tmp_path / 'w.parquet'}"])
    for stride, overlap in ((1, 3), (2, 2), (3, 1)):
        found = read_any(schema_of(stride=stride), given)
        assert (found.overlap, found.unusable) == (overlap, {"series": [Unusable(0, 0, 9, together=overlap)]})


def test_prepared_windows_of_a_channel_called_target_are_no_table(tmp_path: Path) -> None:
    schema = schema_of(columns={"target": "number"}, target="target", series="series")
    windows = {"row": ["p", "q"], "series": [[1.0, 2.0, 3.0]] * 2, "target": [4.0, 5.0]}
    pq.write_table(pa.table(windows), tmp_path / "w.parquet")
    ((told, found),) = read_input(schema, config(tmp_path / "w.parquet"))
    assert (told["row"].to_pylist(), found["series"].to_pylist()) == (["p", "q"], windows["series"])
    moments = {"row": [1, 2, 3], "at": [START + i * HOUR for i in range(3)], "series": ["a"] * 3, "target": [1, 2, 3]}
    pq.write_table(pa.table(moments), tmp_path / "m.parquet")
    ((told, found),) = read_input(schema, config(tmp_path / "m.parquet"))
    assert (told["series"].to_pylist(), found["series"].to_pylist()) == (["a"], [[1.0, 2.0, 3.0]])


def test_a_series_whose_newest_rows_are_in_no_window_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [*rows(9, "a"), *rows(9, "b")]
    del lines[6]
    told, _ = asked(tmp_path, lines, on_gap="split")
    assert max(entry["window_ends"] for entry in told if entry["series"] == "a") == START + 5 * HOUR
    said = f"{tmp_path / 'new.csv'}: the newest rows of series a are in no window, since a gap is too near their end\n"
    assert said in capsys.readouterr().out


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
