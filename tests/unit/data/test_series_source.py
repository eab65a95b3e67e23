"""Windows are cut from the series of a table as its YAML says, and what is no series is refused by one line."""

import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from pipeline.config import PrepareConfig, SplitConfig, check_all
from pipeline.data.prepared import read_split
from pipeline.data.schema import Schema
from pipeline.data.sources import SOURCES, series
from pipeline.data.sources.series import SeriesDataset
from pipeline.data.sources.ucr import UcrDataset
from pipeline.data.types.series import Series, SeriesColumn
from pipeline.data.writing import write_prepared
from pipeline.errors import ConfigError, DataError

START = datetime.datetime(2024, 3, 1)
OVERLAP = "made: windows share rows, so test scores are resampled by blocks or series (docs/series.md)\n"
SKIP = " Set on_bad_row: skip to leave such rows out."


def rows(count: int, series: str = "a", first: int = 0) -> list[str]:
    """Hours of one series: load is 0, 1, 2 ... and warm its square."""
    hours = [START + datetime.timedelta(hours=i) for i in range(count)]
    return [f"{hour.isoformat()},{series},{first + i},{i * i}" for i, hour in enumerate(hours)]


def dataset(**settings: Any) -> SeriesDataset:
    standard = {
        "path": "t.csv",
        "time": "at",
        "series": "of",
        "columns": {"load": "number", "warm": "number"},
        "target": "load",
        "window": 3,
        "split": "time",
    }
    config = SeriesDataset(**{"name": "made", "source": "series", "task": "regression", **standard, **settings})
    check_all(config)
    return config


def read(root: Path, lines: list[str], **settings: Any) -> pa.Table:
    (root / "t.csv").write_text("\n".join(["at,of,load,warm", *lines]) + "\n")
    return pa.Table.from_batches(list(SOURCES["series"].batches(dataset(**settings), root)))


def windows_of(found: pa.Table, channels: int = 2) -> np.ndarray:
    return np.array(found["series"].to_pylist()).reshape(found.num_rows, -1, channels)


def refusal(root: Path, lines: list[str], **settings: Any) -> str:
    with pytest.raises(DataError) as caught:
        read(root, lines, **settings)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(("horizon", "stride", "starts"), [(1, 1, [0, 1, 2, 3]), (2, 2, [0, 2]), (0, 3, [0, 3])])
def test_windows_and_their_targets(tmp_path: Path, horizon: int, stride: int, starts: list[int]) -> None:
    columns = {"warm": "number"} if horizon == 0 else {"load": "number", "warm": "number"}
    lines = [*rows(7, "a"), *rows(7, "b", first=100)]
    found = read(tmp_path, lines, horizon=horizon, stride=stride, columns=columns)
    last = windows_of(found, len(columns))[:, :, -1]
    assert last.tolist() == [[(i + step) ** 2 for step in range(3)] for i in starts] * 2
    assert found["load"].to_pylist() == [base + i + 2 + horizon for base in (0, 100) for i in starts]


def test_rows_are_sorted_by_time_and_without_a_time_stay_in_order(tmp_path: Path, capsys: Any) -> None:
    lines = [*rows(6, "a"), *rows(6, "b")]
    expected = read(tmp_path, lines)
    assert capsys.readouterr().out == OVERLAP
    assert read(tmp_path, [lines[3], *lines[:3], *lines[4:]]) == expected
    said = "made: 1 row was earlier than the row before; all are sorted by 'at' now\n"
    assert capsys.readouterr().out == said + OVERLAP
    plain = read(tmp_path, lines, time=None, split="hash").drop_columns([":series"])
    assert plain.select(["series", "load"]) == expected.select(["series", "load"])
    assert len(read(tmp_path, rows(12), time=None, series=None)) == 9


def test_without_a_time_no_window_reaches_over_a_row_that_was_left_out_or_into_another_file(tmp_path: Path) -> None:
    settings: dict[str, Any] = {"time": None, "split": "hash", "on_bad_row": "skip"}
    a, b = rows(9, "a"), rows(9, "b", first=100)
    turns = [line for pair in zip(a, b, strict=True) for line in pair]
    assert len(read(tmp_path, turns, **settings)) == 12, "series that take turns"
    lost = [*a[:4], a[4].replace(",4,", ",?,"), *a[5:], *b]
    found = read(tmp_path, lost, **settings)
    assert found["load"].to_pylist() == [3, 8, *range(103, 109)]
    (tmp_path / "u.csv").write_text((tmp_path / "t.csv").read_text())
    both = read(tmp_path, lost, **settings, path=["t.csv", "u.csv"])
    assert sorted(both["load"].to_pylist()) == sorted(found["load"].to_pylist() * 2)


def test_windows_that_share_no_row_are_no_remark(tmp_path: Path, capsys: Any) -> None:
    read(tmp_path, rows(8, "a"), stride=4)
    assert capsys.readouterr().out == ""


def test_it_is_said_how_much_the_windows_take(tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(series, "MUCH", 8 * 2 * 2 * 3 - 1)
    read(tmp_path, rows(8, "a"), stride=4)
    assert capsys.readouterr().out == (
        "made: 2 windows take 0.0 GB on disk, and twice as much while they are prepared; a larger stride makes fewer\n"
    )


def test_gaps_split_a_series_or_are_ignored(tmp_path: Path, capsys: Any) -> None:
    lines = rows(12)
    del lines[5:7]
    del lines[8:9]  # stretches of five, three and one rows are left
    found = read(tmp_path, lines, on_gap="split")
    assert found["load"].to_pylist() == [3, 4]
    said = "made: 4 rows are in no window, since their stretch of the series is too short\n"
    assert capsys.readouterr().out == said + OVERLAP
    assert len(read(tmp_path, lines, on_gap="ignore")) == len(lines) - 3


@pytest.mark.parametrize(
    ("change", "settings", "text"),
    [
        (lambda r: [*r[:5], r[4], *r[5:]], {}, "t.csv: 1 row is of an instant that its series has already (row 6, "
         "series 'a': '2024-03-01 04:00:00'), expected each 'at' once in a series. Remove such rows, or name the "
         "column of the series."),
        (lambda r: [*r[:5], *r[7:]], {}, "t.csv: 1 row is not one step, 1:00:00, later than the row before (row 6, "
         "series 'a': 3:00:00 later). Set on_gap: split so that no window holds a gap, or ignore if the distance says "
         "nothing."),
        (lambda r: [*r, *rows(3, "b")], {}, "t.csv: 1 series is too short (row 11, series 'b': 3 rows), expected 4 "
         "rows or more without a gap: window 3 and horizon 1. Set a smaller window, or on_bad_row: skip."),
        (lambda r: r, {"window": 10}, "t.csv: 1 series is too short (row 1, series 'a': 10 rows), expected 11 rows or "
         "more without a gap: window 10 and horizon 1. Set a smaller window."),
        (lambda r: [r[0].replace(",a,", ",?,"), *r[1:]], {"missing": ["?"]}, "t.csv: column 'of' is the series, and 1 "
         "row has no value (row 1)." + SKIP),
        (lambda r: [*r[:3], r[3].replace(",3,", ",?,"), *r[4:]], {"missing": ["?"]}, "t.csv: column 'load' is the "
         "target, and 1 row has no value (row 4)." + SKIP),
        (lambda r: [*r[:3], r[3].replace(",9", ",?"), *r[4:]], {"missing": ["?"]}, "t.csv: column 'warm' is the "
         "channel, and 1 row has no value (row 4)." + SKIP),
        (lambda r: [*r[:3], r[3].replace(",9", ",warm"), *r[4:]], {}, "t.csv: column 'warm': 1 value is not a finite "
         "number (row 4: 'warm')." + SKIP),
    ],
    ids=["doubled", "gap", "short", "all short", "no series", "no target", "no value", "no number"],
)  # fmt: skip
def test_rows_that_are_no_series(tmp_path: Path, change: Any, settings: Any, text: str) -> None:
    assert refusal(tmp_path, change(rows(10)), **settings) == text


def test_short_series_can_be_left_out(tmp_path: Path, capsys: Any) -> None:
    assert len(read(tmp_path, [*rows(10), *rows(3, "b")], on_bad_row="skip")) == 7
    said = "made: 3 rows are in no window, since their stretch of the series is too short\n"
    assert capsys.readouterr().out == said + OVERLAP


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"horizon": 0}, "dataset.horizon: found 0, expected 1 or more, as 'load' is a channel, too."),
        ({"split": "hash", "series": None}, "dataset.split: found 'hash', expected time, since windows of one series "
         "overlap; or name the series."),
        ({"time": None}, "dataset.time: found None, expected the column that says when a row is, to split several "
         "series by time."),
        ({"target": "series"}, "dataset.target: found 'series', expected another name, which is that of the windows."),
        ({"columns": {"of": "category"}}, "dataset.columns: found ['of'], expected one channel or more."),
        ({"columns": {"warm": "text"}}, "dataset.columns.warm: found 'text', expected number."),
        ({"split": "given", "test_path": "u.csv"}, "dataset.validation_path: found None, expected files for "
         "validation, since windows of the training files overlap."),
        ({"window": 0}, "dataset.window: found 0, expected 1 or more."),
        ({"group": "of"}, "dataset.group: found 'of', expected nothing for series."),
        ({"on_gap": "fill"}, "dataset.on_gap: 'fill' is unknown (refuse, split, ignore)."),
    ],
)  # fmt: skip
def test_settings_that_no_series_has(settings: Any, text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        dataset(**settings)
    assert str(caught.value) == text


def prepared(root: Path, config: Any) -> dict[str, Any]:
    (root / "prepared").mkdir()
    write_prepared(PrepareConfig(SplitConfig(1, 0.25, 0.25), config), root / "prepared", root)
    schema = Schema.read(root / "prepared")
    return {split: read_split(root / "prepared", split, schema) for split in ("train", "validation", "test")}


def test_no_window_reaches_from_one_split_into_another(tmp_path: Path, capsys: Any) -> None:
    (tmp_path / "t.csv").write_text("\n".join(["at,of,load,warm", *rows(40, "a"), *rows(40, "b")]) + "\n")
    splits = prepared(tmp_path, dataset())
    said = "made: 12 rows are in no split, since they would reach from one into another\n"
    assert capsys.readouterr().out == OVERLAP + said + "made: 37 rows have the features of an earlier row\n"
    seen = {name: windows_of(split.table)[:, :, 0] for name, split in splits.items()}
    assert splits["train"].target.max() < seen["validation"].min()
    assert splits["validation"].target.max() < seen["test"].min()


@pytest.mark.parametrize(
    ("settings", "step"),
    [({}, 3.6e9), ({"on_gap": "ignore"}, 3.6e9), ({"time": None, "series": None}, None)],
    ids=["hours", "ignored", "no time"],
)
def test_how_far_apart_rows_are_stands_in_the_schema(tmp_path: Path, settings: Any, step: float | None) -> None:
    (tmp_path / "t.csv").write_text("\n".join(["at,of,load,warm", *rows(40)]) + "\n")
    prepared(tmp_path, dataset(**settings))
    (column,) = Schema.read(tmp_path / "prepared").features
    assert isinstance(column.config, SeriesColumn)
    assert column.config.cut.get("step") == step


def test_rows_that_are_not_equally_far_apart_have_no_step(tmp_path: Path) -> None:
    lines = rows(60)
    del lines[5:7]
    (tmp_path / "t.csv").write_text("\n".join(["at,of,load,warm", *lines]) + "\n")
    for on_gap, known in (("ignore", False), ("split", True)):
        (tmp_path / on_gap).mkdir()
        (tmp_path / on_gap / "t.csv").write_text((tmp_path / "t.csv").read_text())
        prepared(tmp_path / on_gap, dataset(on_gap=on_gap))
        (column,) = Schema.read(tmp_path / on_gap / "prepared").features
        assert isinstance(column.config, SeriesColumn)
        assert ("step" in column.config.cut) == known


def test_a_series_is_in_one_split(tmp_path: Path) -> None:
    lines = [line for i in range(30) for line in rows(6, f"s{i}", first=100 * i)]
    (tmp_path / "t.csv").write_text("\n".join(["at,of,load,warm", *lines]) + "\n")
    splits = prepared(tmp_path, dataset(split="hash"))
    found = [set((split.target // 100).astype(int)) for split in splits.values()]
    assert sum(map(len, found)) == len(set().union(*found)) == 30


def test_a_label_with_the_name_of_the_feature_is_refused() -> None:
    config = UcrDataset(name="made", source="ucr", task="multiclass", path="train.tsv", target="series")
    with pytest.raises(ConfigError, match=r"dataset\.target: found 'series', expected another name"):
        check_all(config)


def ucr(root: Path, **files: str) -> UcrDataset:
    for name, content in files.items():
        (root / f"{name}.tsv").write_text(content)
    config = UcrDataset(
        name="made", source="ucr", task="multiclass", path="train.tsv", test_path="test.tsv", split="given"
    )
    check_all(config)
    return config


def test_the_form_of_the_ucr_archive(tmp_path: Path) -> None:
    lines = [f"{i % 2}\t{i}\t{i * i}\t{-i}" for i in range(110)]
    config = ucr(tmp_path, train="\n".join(lines[:100]) + "\n", test="\n".join(lines[100:]) + "\n")
    splits = prepared(tmp_path, config)
    assert windows_of(splits["test"].table, 1)[:, :, 0].tolist() == [[i, i * i, -i] for i in range(100, 110)]
    assert splits["test"].target.tolist() == [0, 1] * 5
    assert splits["train"].num_rows + splits["validation"].num_rows == 100


@pytest.mark.parametrize(
    ("train", "test", "text"),
    [
        ("0\t1\t2\t3\n1\t4\t5\tNaN\n", "0\t1\t2\t3\n", "dataset made: 1 series lacks values (row 2 of train.tsv: 2 "
         "values and then none), expected 3 in each row. Fill them up, or set on_bad_row: skip to leave them out."),
        ("0\t1\tNaN\t3\n", "0\t1\t2\t3\n", "dataset made: 1 series lacks values (row 1 of train.tsv: value 2 is "
         "missing), expected 3 in each row. Fill them up, or set on_bad_row: skip to leave them out."),
        ("0\t1\t2\t3\n", "0\t1\t2\n", "test.tsv: its series have 2 values, expected 3, as in train.tsv."),
        ("0\t1\t2\t3\n1\t2\t3\n", "0\t1\t2\t3\n", "dataset made: 1 row cannot be read (row 2 of train.tsv: found 3 "
         "fields, expected 4)." + SKIP),
    ],
    ids=["short", "missing", "test", "fields"],
)  # fmt: skip
def test_series_of_different_lengths(tmp_path: Path, train: str, test: str, text: str) -> None:
    config = ucr(tmp_path, train=train, test=test)
    with pytest.raises(DataError) as caught:
        list(SOURCES["ucr"].batches(config, tmp_path))
    assert str(caught.value) == text


def test_windows_come_flat_or_in_their_shape() -> None:
    config, kind = SeriesColumn("series", window=2, channels=["a", "b"]), Series()
    good, bad = [[1, 2], [3, 4]], [[[1, 2]], [[1, 2], [3]], [[1, None], [3, 4]], [[1, 2], [3, float("inf")]]]
    found = kind.convert(pa.array([good, *bad, None]), config)
    assert found is not None
    assert found.values.to_pylist() == [[1.0, 2.0, 3.0, 4.0], None, None, None, None, None]
    assert found.refused.tolist() == [False, True, True, True, True, False]
    flat = kind.convert(pa.array([[1, 2, 3, 4], [1, 2, 3]]), config)
    assert flat is not None
    assert flat.values.to_pylist() == [[1.0, 2.0, 3.0, 4.0], None]
    assert kind.digest(flat.values)[0] == kind.digest(found.values)[0]
    assert kind.convert(pa.array([[["x", "y"], ["z", "w"]]]), config).refused.all()
    assert kind.convert(pa.array([1.0]), config) is None
