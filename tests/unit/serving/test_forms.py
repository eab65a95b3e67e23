"""Rows in every form that people have: each value is what training could have seen, or it is refused."""

import base64
import datetime
import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from mlflow.models.utils import _enforce_schema
from PIL import Image

from pipeline.data.schema import Column, Schema
from pipeline.data.types import TYPES
from pipeline.data.types.audio import samples_of
from pipeline.errors import DataError
from pipeline.registry.package import signature_of
from pipeline.serving.forms import as_table
from pipeline.serving.rows import read_rows

UTC = datetime.UTC
NOON = datetime.datetime(2020, 1, 2, 12)


def schema_of(kind: str, nullable: bool = True, categories: tuple[str, ...] = (), **options: Any) -> Schema:
    config = TYPES[kind].config(type=kind, **options)
    return Schema("made", "regression", "hash", [Column("x", config, nullable, list(categories))], "y", [])


def read(schema: Schema, given: Any) -> list[Any]:
    return read_rows(schema, as_table(given, schema), "input")["x"].to_pylist()


@pytest.mark.parametrize(
    "given",
    [
        {"x": [1, 2.5, None]},
        {"x": np.array([1, 2.5, np.nan])},
        {"x": np.array([[1], [2.5], [np.nan]])},
        {"x": ["1", "2.5", "-"]},
        {"x": ["1", 2.5, None]},
        {"x": [np.int64(1), 2.5, float("nan")]},
        pd.DataFrame({"x": [1, 2.5, None], "other": 0}, index=[7, 8, 9]),
        pd.DataFrame({"x": pd.array([1, 2.5, None], "Float64")}),
        pd.DataFrame({"x": pd.Series([1.0, 2.5, -999.0])}),
        pd.DataFrame({"x": ["1", "2.5", "-999"]}).astype("category"),
        pd.DataFrame({"x": [["1", "2.5", "-999"]]}),
        [{"x": 1}, {"x": 2.5, "other": 3}, {"other": 3}],
    ],
    ids=str,
)
def test_numbers_in_every_form(given: Any) -> None:
    assert read(schema_of("number", missing=["-", "-999"]), given) == [1.0, 2.5, None]


@pytest.mark.parametrize("kind", [list, np.int16])
def test_whole_numbers_of_a_recording_are_of_16_bits(kind: Any) -> None:
    """As in training, where the type of a Parquet file's column says so."""
    schema = schema_of("audio", rate=1000, seconds=0.01, silence="accept")
    few, many = ([0, 1, -1], [0, 2**14, -1])
    given = [few, many] if kind is list else [np.array(few, kind), np.array(many, kind)]
    table = read_rows(schema, as_table({"x": given}, schema), "input")
    found = samples_of(table["x"].combine_chunks(), schema.features[0].config)  # type: ignore[arg-type]
    np.testing.assert_array_equal(found[:, :3] * 2**15, [few, many])
    (halves,) = read_rows(schema, as_table({"x": [[0.5, -0.5]]}, schema), "input")["x"].chunks
    np.testing.assert_array_equal(samples_of(halves, schema.features[0].config)[0, :2], [0.5, -0.5])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "given", "expected"),
    [
        ("number", {"x": [2**70]}, "not a finite number"),
        ("number", {"x": [2**53 + 1]}, "not a finite number"),
        ("number", {"x": [1, [2]]}, r"not a finite number \(row 2: '\[2\]'\)"),
        ("number", {"x": [True, 2]}, r"not a finite number \(row 1: 'True'\)"),
        ("number", {"x": 3}, "'x' is int, expected one value for each row"),
        ("number", {"x": np.array(3)}, "'x' is ndarray, expected one value for each row"),
        ("number", {"x": {1, 2}}, "'x' is set, expected one value for each row"),
        ("number", {"z": [1]}, r"there is no column 'x' \(z\)\."),
        ("number", pd.DataFrame([[1, 2]], columns=["xx", 1]), r"there is no column 'x' \(xx, 1\)\. Did you mean 'xx'"),
        ("category", {"x": [1 + 2j, "a"]}, r"not a category \(row 1: .*\(1\+2j\)"),
        ("category", {"x": [Path("a")]}, r"not a category \(row 1: .*Path"),
        ("category", {"x": [[1, "a"]]}, r"not a category \(row 1: "),
        ("text", {"x": [object()]}, r"not a text \(row 1: .*object"),
        ("number", {"x": [np.array(1.0)]}, r"not a finite number \(row 1: .*array"),
        ("number", pd.DataFrame([[1, 2]], columns=["x", "x"]), "found several columns x, expected one of each"),
        ("number", 3, "found int, expected a data frame, columns or records"),
        ("text", {"x": [1.5]}, "holds double, expected a text in each row"),
        ("text", {"x": ["a\ud800", 1]}, "holds half a character"),
        ("date", {"x": [NOON.date(), NOON]}, r"not a date in the column's format \(row 2: '2020-01-02 12:00:00'\)"),
        ("datetime", {"x": [NOON, NOON.replace(tzinfo=UTC)]}, r"\(row 2: '2020-01-02 12:00:00\+00:00'\)"),
        ("datetime", {"x": [NOON.replace(tzinfo=UTC)]}, "not "),
        ("boolean", {"x": [0.5]}, "not yes or no"),
    ],
)
def test_what_training_could_not_have_seen(kind: str, given: Any, expected: str) -> None:
    with pytest.raises(DataError, match=expected):
        read(schema_of(kind), given)


def test_a_category_whose_text_a_data_frame_has_lost_is_refused() -> None:
    schema = schema_of("category", categories=("007", "12", "B"))
    assert read(schema, {"x": ["007", "12", "new"]}) == ["007", "12", "new"]
    assert read(schema, {"x": [12, 12]}) == ["12", "12"]
    with pytest.raises(DataError, match=r"not a category \(row 2: '7'\)\. Give the column as text, exactly as it was"):
        read(schema, {"x": [12, 7]})
    with pytest.raises(DataError, match=r"row 1: 'True'"):
        read(schema_of("category", categories=("True", "False")), {"x": [True]})


def test_numbers_are_refused_where_one_of_very_many_categories_is_written_as_no_number_is() -> None:
    """Of more than 1,000 categories, such as ZIP codes, the schema holds none, but whether a text may be lost."""
    schema = schema_of("category")
    assert read(schema, {"x": [12, 1067]}) == ["12", "1067"]
    lossy = replace(schema, features=[replace(schema.features[0], loses_texts=True)])
    assert read(lossy, {"x": ["01067", "12", None]}) == ["01067", "12", None]
    with pytest.raises(
        DataError, match=r"1 value is not a category \(row 1: '1067'\)\. Give the column as text, exactly"
    ):
        read(lossy, {"x": [1067, None]})


def test_values_of_several_kinds_are_read_as_if_each_kind_stood_alone() -> None:
    schema = schema_of("category", categories=("007", "7", "true", "A"))
    given = ["A", 7.0, True, None, 7, "new", np.float32(7), np.int8(7), float("nan"), "007"]
    assert read(schema, {"x": given}) == ["A", "7", "true", None, "7", "new", "7", "7", None, "007"]
    assert read(schema, [{"x": 7.0}, {"x": "A"}]) == ["7", "A"]
    with pytest.raises(DataError, match=r"1 value is not a category \(row 2: '7'\)\. Give the column as text"):
        read(schema_of("category", categories=("007", "A")), {"x": ["A", 7]})
    with pytest.raises(DataError, match=r"2 values are not a category \(row 1: '7.5'; row 3: '\[7\]'\)"):
        read(schema, {"x": [7.5, "A", [7]]})
    with pytest.raises(DataError, match=r"1 value is not a text \(row 2: '1'\)"):
        read(schema_of("text"), {"x": ["1", 1]})
    assert read(schema_of("number", missing=["-9", "?"]), {"x": [-9, "-9.0", 1, "?"]}) == [None, None, 1.0, None]
    assert read(schema_of("boolean"), {"x": [True, 0, "yes", 1.0, None]}) == [True, False, True, True, None]


@pytest.mark.parametrize(
    ("kind", "given", "expected"),
    [
        ("number", pd.array([1, None], "Int64"), [1.0, None]),
        ("number", pd.array([1.5, None], "Float64"), [1.5, None]),
        ("number", np.array([1, np.nan]), [1.0, None]),
        ("number", np.array([1, 2]), [1.0, 2.0]),
        ("number", np.array([1.5], np.longdouble), [1.5]),
        ("number", ["1", ""], [1.0, None]),
        ("category", ["A", ""], ["A", None]),
        ("text", ["A", ""], ["A", ""]),
        ("number", pd.array([None, None], "string"), [None, None]),
        ("category", pd.array([7, None], "Int64"), ["7", None]),
        ("category", np.array([7, np.nan]), ["7", None]),
        ("category", pd.array(["A", None], "string"), ["A", None]),
        ("category", [None, None], [None, None]),
        ("category", [7.0, "A"], ["7", "A"]),
        ("category", pd.Categorical(["A", None]), ["A", None]),
        ("text", pd.array([None, None], "string"), [None, None]),
        ("text", np.array([np.nan, np.nan]), [None, None]),
        ("boolean", pd.array([True, None], "boolean"), [True, None]),
        ("boolean", [True, None], [True, None]),
        ("date", ["2020-01-02", None], [NOON.date(), None]),
        ("date", [NOON.date(), None], [NOON.date(), None]),
        ("datetime", pd.Series([NOON, None], dtype="datetime64[ns]"), [NOON, None]),
        ("datetime", [pd.NaT, pd.NaT], [None, None]),
    ],
)
def test_what_is_missing_comes_through_mlflows_own_check(kind: str, given: Any, expected: list[Any]) -> None:
    """MLflow makes a column of its own of each one, before the model sees it."""
    schema = schema_of(kind, categories=("7", "A") if kind == "category" else ())
    for form in (pd.DataFrame({"x": given}), {"x": given}):
        assert read(schema, _enforce_schema(form, signature_of(schema).inputs)) == expected
    refusing = replace(schema, features=[replace(schema.features[0], nullable=False)])
    with pytest.raises(DataError, match=r"column 'x': . values? (is|are) not .*: a missing value"):
        read(refusing, _enforce_schema(pd.DataFrame({"x": [None]}), signature_of(schema).inputs))


def test_no_rows_give_no_rows() -> None:
    schema = schema_of("number")
    for given in ([], {"x": []}, pd.DataFrame({"x": []}), pd.DataFrame({"x": []}, dtype=object)):
        assert read(schema, given) == []


def test_missing_is_refused_where_training_had_none() -> None:
    with pytest.raises(
        DataError, match=r"column 'x': 2 values are not a finite number \(row 1: a missing value; row 2:"
    ):
        read(schema_of("number", nullable=False, missing=["NA"]), {"x": [None, "NA", "3"]})


def test_who_asks_a_model_is_told_what_stands_for_a_missing_value() -> None:
    """And not to declare it, since that needs the dataset and another training."""
    for schema, advice in (
        (schema_of("number"), "Give null, or write '', for a missing value."),
        (schema_of("number", missing=["-"]), "Give null, or write '-', for a missing value."),
        (schema_of("number", nullable=False), "No value is missing in the training rows, so the model takes none that"),
    ):
        with pytest.raises(DataError, match=rf"1 value is not a finite number \(row 1: '\?'\)\. {advice}"):
            read(schema, {"x": ["?", "1"]})


PIXELS = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)


def png() -> bytes:
    stream = io.BytesIO()
    Image.fromarray(PIXELS).save(stream, "png")
    return stream.getvalue()


@pytest.mark.parametrize(
    "value",
    [png(), bytearray(png()), memoryview(png()), base64.b64encode(png()).decode(), PIXELS, PIXELS.tolist()],
    ids=["bytes", "bytearray", "memoryview", "base64", "array", "lists"],
)
def test_images_in_every_form(value: Any) -> None:
    schema = schema_of("image", nullable=False, shape=[2, 2, 3], pixels="uint8")
    expected = [list(range(12))] * 2
    for given in ({"x": [value, value]}, pd.DataFrame({"x": [value, value]}), [{"x": value}] * 2):
        assert read(schema, given) == expected
    # one row, which MLflow does not take for a column of its own
    assert read(schema, pd.DataFrame({"x": [value]})) == expected[:1]


def test_files_that_mlflow_makes_one_row_of() -> None:
    image = {"type": "image", "shape": [2, 2, 3], "pixels": "uint8"}
    columns = [Column("x", TYPES["image"].config(**image), False), Column("kind", TYPES["text"].config("text"), False)]
    text = base64.b64encode(png()).decode()
    for used in (columns[:1], columns):
        schema = Schema("made", "regression", "hash", used, "y", [])
        for given in ({"x": [text, text], "kind": ["a", "b"]}, {"x": [png(), png()], "kind": ["a", "b"]}):
            rows = {column.name: given[column.name] for column in used}
            assert read(schema, _enforce_schema(rows, signature_of(schema).inputs)) == [list(range(12))] * 2


def test_images_that_are_none() -> None:
    schema = schema_of("image", nullable=False, shape=[2, 2, 3], pixels="uint8")
    assert read(schema, {"x": pa.array([png()])}) == [list(range(12))]
    for given, text in (
        ([png(), png()[:40]], r"1 value is not an image \(row 2: (damaged or cut off|no image that)"),
        ([png(), None], r"1 value is not an image \(row 2: a missing value\)"),
        (["no base64"], r"row 1: no image that can be read"),
        ([png(), PIXELS], r"column 'x' holds arrays and bytes, expected one of them in all rows"),
        ([PIXELS[:1]], r"not an image"),
    ):
        with pytest.raises(DataError, match=text):
            read(schema, {"x": given})


def test_texts_as_the_bytes_of_files() -> None:
    schema = schema_of("text")
    assert read(schema, {"x": [b"\xef\xbb\xbfgr\xc3\xbcn", None]}) == ["gr\u00fcn", None]
    with pytest.raises(DataError, match=r"1 value is not a text \(row 2: not UTF-8, byte 2 is 0xfc\)"):
        read(schema, {"x": [b"a", b"a\xfc"]})
