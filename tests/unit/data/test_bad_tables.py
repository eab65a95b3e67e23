"""What is wrong with a table, and shows only once all rows were seen or in the types of its columns: one line."""

import json
import unicodedata
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.config import PrepareConfig, SplitConfig
from pipeline.data.formats import lines
from pipeline.data.writing import write_prepared
from pipeline.errors import DataError
from pipeline.layout import SPLITS, SUMMARY
from tests.unit.data.test_table_source import GOOD, SKIP, dataset, read, refusal

SPLIT = SplitConfig(seed=1, test=0.3, validation=0.3)
CLASSES: dict[str, Any] = {"task": "binary", "leakage": "accept"}


def prepare(root: Path, content: str | None = None, **settings: Any) -> None:
    if content is not None:
        (root / "t.csv").write_text(content)
    (root / "prepared").mkdir()
    write_prepared(PrepareConfig(SPLIT, dataset(**settings)), root / "prepared", root)


def refused_by_prepare(root: Path, content: str | None = None, **settings: Any) -> str:
    with pytest.raises(DataError) as caught:
        prepare(root, content, **settings)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def table(rows: int = 60, **more: str) -> str:
    """x, kind and y (two classes), and more columns of one value each."""
    head = ",".join(["x,kind,y", *more])
    values = [",".join([f"{i}.5,{'ab'[i * i % 7 % 2]},{'pq'[i * i // 5 % 2]}", *more.values()]) for i in range(rows)]
    return "\n".join([head, *values]) + "\n"


CONSTANT = "one value in all rows, from which no model learns. Leave such a column out, or set constant: accept."


@pytest.mark.parametrize("block", [64, 2**20])
@pytest.mark.parametrize(
    ("more", "settings", "found"),
    [
        ({"u": "k"}, {"columns": {"x": "number", "u": "category"}}, "'u' ('k')"),
        ({"u": "7.0"}, {"columns": {"x": "number", "u": "number"}}, "'u' ('7.0')"),
        ({"u": "", "v": "no"}, {"columns": {"u": {"type": "number", "missing": [""]}, "v": "boolean"}},
         "'u' (missing), 'v' ('False')"),
        ({"u": "2020-01-01"}, {"columns": {"x": "number", "u": "date"}}, "'u' ('2020-01-01')"),
    ],
)  # fmt: skip
def test_one_value_in_all_rows(
    tmp_path: Path, more: dict[str, str], settings: Any, found: str, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "BLOCK", block)
    assert refusal(tmp_path, table(**more).encode(), **CLASSES, **settings) == f"t.csv: {found}: {CONSTANT}"
    read(tmp_path, constant="accept", **CLASSES, **settings)


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_a_null_character_in_a_text_is_refused_with_its_place(tmp_path: Path, kind: str) -> None:
    """Keras could not hold it in a vocabulary, and would say so after the data were prepared."""
    rows = {"x": ["a", "\u00e9t\u00e9\0 b", "c"], "y": ["1", "2", "3"]}
    file = tmp_path / f"t.{kind}"
    if kind == "parquet":
        pq.write_table(pa.table(rows), file)
    else:
        pairs = list(zip(*rows.values(), strict=True))
        lines = [json.dumps({"x": x, "y": y}) if kind == "jsonl" else f"{x},{y}" for x, y in pairs]
        file.write_text("\n".join(["x,y"] * (kind == "csv") + lines))
    text = refusal(tmp_path, path=file.name, columns={"x": "text"})
    assert "column 'x': 1 value is not a text (row 2: '\u00e9t\u00e9\\x00 b', whose character 4 is 0x00)." in text
    assert 'replace: {"\\\\x00": ""}' in text
    assert (
        read(tmp_path, path=file.name, columns={"x": {"type": "text", "replace": {"\\x00": ""}}})["x"][1]
        == "\u00e9t\u00e9 b"
    )


def test_a_second_value_may_come_late_and_may_be_a_missing_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "BLOCK", 64)
    columns = {"x": "number", "u": {"type": "category", "missing": ["NA"]}}
    for last in ("l", "NA"):
        text = table(u="k").removesuffix("k\n") + last + "\n"
        assert len(set(read(tmp_path, text.encode(), columns=columns, **CLASSES)["u"])) == 2
    text = table(u="NA").removesuffix("NA\n") + "k\n"
    assert len(set(read(tmp_path, text.encode(), columns=columns, **CLASSES)["u"])) == 2
    assert read(tmp_path, b"x,kind,y\n1,a,1\n") == {"x": [1], "kind": ["a"], "y": [1]}, "one row has one value each"


def test_a_column_that_is_constant_in_the_training_rows_alone_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [f"{i},{'late' if i >= 42 else 'early'},{'pq'[i * i // 5 % 2]}" for i in range(60)]
    prepare(tmp_path, "\n".join(["x,kind,y", *rows]), split="time", time="x", columns=COLUMNS, **CLASSES)
    told = capsys.readouterr().out
    assert "tabled: 'kind' has categories in test or validation rows that no training row has: late\n" in told
    assert "tabled: constant in the training rows, so that no model learns from it: kind\n" in told


COLUMNS = {"x": "number", "kind": "category"}


def test_what_was_left_out_stands_in_the_summary(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    prepare(tmp_path, table(), columns=COLUMNS, **CLASSES)
    assert list(summary(tmp_path)) == list(SPLITS)
    (tmp_path / "prepared").rename(tmp_path / "whole")
    capsys.readouterr()
    prepare(tmp_path, table().replace("\n7.5,", "\n?,"), columns=COLUMNS, on_bad_row="skip", **CLASSES)
    assert summary(tmp_path)["left_out"] == ["tabled: skipped 1 of 60 rows (refused in x: 1)"]
    assert "tabled: skipped 1 of 60 rows (refused in x: 1)\n" in capsys.readouterr().out


def summary(root: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((root / "prepared" / SUMMARY).read_text())
    return found


def test_a_time_split_that_lacks_a_class(tmp_path: Path) -> None:
    rows = [f"{i},{'ab'[i % 2]},{'q' if i == 0 else 'p'}" for i in range(60)]
    text = refused_by_prepare(tmp_path, "\n".join(["x,kind,y", *rows]), split="time", time="x", **CLASSES)
    assert text == (
        "dataset tabled: split validation has 0 rows of class 'q', expected at least 1. Add rows, or enlarge the split "
        "in params.yaml. Or leave the class out: name the others in `values` of the target, with on_bad_row: skip."
    )


@pytest.mark.parametrize(
    "names",
    [("Z\u00fcrich", unicodedata.normalize("NFD", "Z\u00fcrich")), ("\ufb01t", "fit"), ("Yes", "yes"), ("yes ", "yes")],
)
def test_classes_that_a_person_takes_for_the_same(tmp_path: Path, names: tuple[str, str]) -> None:
    rows = [f"{i},a,{names[i % 2]}" for i in range(60)]
    text = refused_by_prepare(tmp_path, "\n".join(["x,kind,y", *rows]), constant="accept", **CLASSES)
    first, second = sorted(names)
    assert text == (
        f"dataset tabled: column 'y' holds the classes {first!r} and {second!r}, which differ by blanks, case or "
        "Unicode form alone. Write them the same way."
    ) or text.startswith(f"dataset tabled: column 'y' holds the classes {second!r} and {first!r}, which differ by")


def rows_of(count: int, times: int) -> str:
    """So many rows of a number, a patient and a target, each of them so many times."""
    found = [f"{i * i % 997}.25,p{i % 40},{i * 7 % 31}.5\n" for i in range(count)]
    return "x,kind,y\n" + "".join(found) * times


def test_rows_that_stand_twice_do_not_look_like_a_leak(tmp_path: Path) -> None:
    prepare(tmp_path, rows_of(60, times=2))
    assert summary(tmp_path)["train"]["rows"] > 0


def test_a_rare_class_may_be_left_out(tmp_path: Path) -> None:
    text = table() + "7.5,a,r\n8.5,b,r\n"
    found = refused_by_prepare(tmp_path, text, **CLASSES | {"task": "multiclass"})
    assert "has 0 rows of class 'r', expected at least 1. " in found
    assert found.endswith("Or leave the class out: name the others in `values` of the target, with on_bad_row: skip.")
    (tmp_path / "prepared").rename(tmp_path / "refused")
    columns = {"x": "number", "kind": "category", "y": {"type": "category", "values": ["p", "q"]}}
    prepare(tmp_path, text, columns=columns, on_bad_row="skip", **CLASSES | {"task": "multiclass"})


@pytest.mark.parametrize(
    ("task", "found"),
    [
        ("binary", "every row is of one class, expected at least two classes."),
        ("multiclass", "every row is of one class, expected at least two classes."),
        ("regression", "target 'y' is 7 in every row, expected at least two values."),
    ],
)
def test_a_target_of_one_value(tmp_path: Path, task: str, found: str) -> None:
    text = table().replace(",q\n", ",7\n").replace(",p\n", ",7\n")
    assert refused_by_prepare(tmp_path, text, task=task) == f"dataset tabled: {found}"


@pytest.mark.parametrize("blanks", ["{}", " {}", "{} "])
@pytest.mark.parametrize("marker", ["NA", "?", "-", "", "null"])
@pytest.mark.parametrize(
    ("kind", "good", "expected"),
    [
        ("number", "1", "a finite number"),
        ("category", "k", "a category"),
        ("boolean", "yes", "yes or no"),
        ("date", "2020-01-01", "a date in the column's format"),
        ("datetime", "2020-01-01", "a date and time in the column's format"),
    ],
)
def test_what_stands_for_a_missing_value_must_be_declared(
    tmp_path: Path, kind: str, good: str, expected: str, marker: str, blanks: str
) -> None:
    found = blanks.format(marker)
    content = f"x,kind,y\n1,{good},1\n2,{found},2\n".encode()
    text = refusal(tmp_path, content, columns={"x": "number", "kind": kind})
    assert text.startswith(f"t.csv: column 'kind': 1 value is not {expected} (row 2: {found!r}). ")
    assert f"missing: [{marker!r}] if it stands for a missing value" in text
    assert read(tmp_path, columns={"x": "number", "kind": kind}, missing=[marker])["kind"][1] is None


@pytest.mark.parametrize(
    ("kind", "value", "advice"),
    [
        ("date", "31.02.2020", "Dates are expected as 2024-02-29; set format"),
        ("date", "2020-02-31", ""),
        ("date", "02/03/2020", "Dates are expected as 2024-02-29; set format"),
        ("datetime", "2020-01-01T12:00:00+01:00", "Moments are expected as 2024-02-29T12:30:59; set format, such as"),
        ("number", '"1,5"', "Set thousands or decimal for numbers that are written like this."),
        ("number", '"1,234.5"', "Set thousands or decimal for numbers that are written like this."),
        ("number", "inf", "Infinity is no number to learn from."),
        ("number", "-Infinity", "Infinity is no number to learn from."),
        ("number", "1e400", "Numbers may be as large as 1e+150."),
        ("number", "9007199254740993", "Whole numbers beyond 2^53 cannot be told apart as numbers; set type: category"),
    ],
)
def test_a_value_that_its_type_does_not_hold(tmp_path: Path, kind: str, value: str, advice: str) -> None:
    good = {"date": "2020-01-01", "datetime": "2020-01-01T12:00:00", "number": "1"}[kind]
    content = f"x,kind,y\n{good},a,1\n{value},b,2\n{good},a,3\n".encode()
    text = refusal(tmp_path, content, columns={"x": kind, "kind": "category"})
    plain = value.strip('"')
    assert text.startswith("t.csv: column 'x': 1 value is not ")
    assert f"(row 2: {plain!r}). {advice}" in text


@pytest.mark.parametrize("role", ["group", "time"])
def test_a_role_without_a_value(tmp_path: Path, role: str) -> None:
    settings = {"columns": {"x": "number", "r": {"type": "category" if role == "group" else "date", "missing": [""]}}}
    settings |= {"split": "time"} if role == "time" else {}
    content = b"x,r,y\n1,2020-01-01,1\n2,,2\n3,,3\n4,2020-01-02,4\n"
    text = refusal(tmp_path, content, **settings, **{role: "r"})
    assert text == f"t.csv: column 'r' is the {role}, and 2 rows have no value (row 2; row 3).{SKIP}"


@pytest.mark.parametrize(
    ("content", "settings", "text"),
    [
        (b"x;kind;y\n1,5;a;10\n2,5;b;20\n", {"separator": ";"}, "t.csv: column 'x': 2 values are not a finite number "
         "(row 1: '1,5'; row 2: '2,5'). Set thousands or decimal for numbers that are written like this."),
        (b"\xef\xbb\xbf" + GOOD, {"encoding": "latin-1"}, "t.csv: found the byte order mark of UTF-8, expected "
         "latin-1. Leave encoding out, or set encoding: utf-8."),
        (GOOD.decode().encode("utf-32"), {}, "t.csv: found UTF-32, expected utf-8. Set encoding: utf-32."),
        (b"sep=;\nx;kind;y\n1;a;2\n", {"separator": ";"}, "t.csv: the first line is 'sep=;', which Excel alone "
         "reads. Remove it."),
        (b"# made today\n" + GOOD, {}, "t.csv: there is no column 'x' (# made today). The first line looks like a "
         "comment. Remove it."),
    ],
)  # fmt: skip
def test_files_that_are_read_the_wrong_way(tmp_path: Path, content: bytes, settings: Any, text: str) -> None:
    assert refusal(tmp_path, content, **settings).removesuffix(SKIP) == text


def test_several_files_of_which_one_is_no_table(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(GOOD)
    (tmp_path / "b.csv").write_bytes(b"")
    assert refusal(tmp_path, path="*.csv") == "b.csv: empty, expected rows."
    pq.write_table(pa.table({"x": [1.0], "kind": ["a"], "y": [1.0]}), tmp_path / "b.csv")
    assert refusal(tmp_path, path="*.csv") == "b.csv: found a Parquet file, expected text. Set format: parquet."


def test_parquet_files_with_columns_that_differ_or_come_twice(tmp_path: Path) -> None:
    good = pa.table({"x": [1.0, 2.0], "kind": ["a", "b"], "y": [1.0, 2.0]})
    pq.write_table(good, tmp_path / "a.parquet")
    pq.write_table(good.rename_columns(["x", "sort", "y"]), tmp_path / "b.parquet")
    assert refusal(tmp_path, path="*.parquet") == (
        "b.parquet: its columns are not those of a.parquet: it has 'sort' and lacks 'kind'. Expected the same columns "
        "in all files."
    )
    pq.write_table(good.append_column("x", good["x"]), tmp_path / "c.parquet")
    text = refusal(tmp_path, path="c.parquet")
    assert text == "c.parquet: 2 columns are named 'x', expected one. Rename the others."
