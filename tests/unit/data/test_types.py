"""Each type reads text and Arrow arrays, refuses what it cannot hold without loss, and equal values have one digest."""

import datetime as dt
import re
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from pipeline.data.reading import Refused, read_values
from pipeline.data.schema import Column
from pipeline.data.types import TYPES
from pipeline.errors import ConfigError

UTC = dt.UTC


def column(name: str, **options: Any) -> Column:
    config = TYPES[name].config(name, **options)
    if hasattr(config, "check"):
        config.check()
    return Column("x", config)


def read(kind: Column, raw: Any, missing: tuple[str, ...] = ()) -> list[Any]:
    """The values, with "refused" for those that are refused."""
    array = raw if isinstance(raw, pa.Array | pa.ChunkedArray) else pa.array(raw, pa.string())
    found = read_values(kind, array, missing)
    assert found.values.type == kind.storage
    assert found.values.null_count >= found.refused.sum()
    return ["refused" if no else value for value, no in zip(found.values.to_pylist(), found.refused, strict=True)]


BAD = "refused"
TABULAR = [name for name in TYPES if not TYPES[name].is_content]


@pytest.mark.parametrize(
    ("options", "text", "expected"),
    [
        ({}, ["1", "-2.5", "+3", "1e3", ".5", "7.", " 8 "], [1, -2.5, 3, 1000, 0.5, 7, 8]),
        ({}, ["1", "1e400", "inf", "nan", "NaN", "Infinity", "-inf"], [1, BAD, BAD, BAD, BAD, BAD, BAD]),
        ({}, ["", "NA", "?", "-", "1,5", "1 000", "0x10", "1_0", "\u0661"], [BAD] * 9),
        ({}, ["9007199254740992", "9007199254740993", "-9007199254740993", "1e16"], [2.0**53, BAD, BAD, 1e16]),
        ({}, ["1", None, "x", None], [1, None, BAD, None]),
        ({"thousands": ","}, ["1,234,567.5", "1234.5", "12,34", "1,23"], [1234567.5, 1234.5, BAD, BAD]),
        ({"decimal": ","}, ["1,5", "2", "1.5", "1.000,5"], [1.5, 2, BAD, BAD]),
        ({"decimal": ",", "thousands": "."}, ["1.234,5", "1.234", "1,5", "1.5"], [1234.5, 1234, 1.5, BAD]),
        ({"thousands": " "}, ["1 234", "-1 234 567.25"], [1234, -1234567.25]),
        ({"thousands": "'"}, ["1'234", "1''234"], [1234, BAD]),
        ({"thousands": "_"}, ["1_234"], [1234]),
    ],
)
def test_numbers_are_read_or_refused(options: dict[str, Any], text: list[str], expected: list[Any]) -> None:
    assert read(column("number", **options), text) == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (pa.array([1, None, 2**53], pa.int64()), [1, None, 2.0**53]),
        (pa.array([1, None, 2**53 + 1, -(2**53) - 1], pa.int64()), [1, None, BAD, BAD]),
        (pa.array([1, None, 2**64 - 1], pa.uint64()), [1, None, BAD]),
        (pa.array([1.5, float("nan"), float("inf"), None]), [1.5, None, BAD, None]),
        (pa.array([np.float16(1.5), None], pa.float16()), [1.5, None]),
        (pa.array([Decimal("1.25"), None]), [1.25, None]),
        (pa.array([Decimal(2**53 + 1)]), [BAD]),
    ],
)
def test_arrow_numbers_are_taken_without_loss(values: pa.Array, expected: list[Any]) -> None:
    assert read(column("number"), values) == expected


def test_a_number_reads_the_same_beside_good_and_bad_texts() -> None:
    """The fast way for whole columns and the slow one for single texts agree."""
    rng = np.random.default_rng(0)
    texts = [
        f"{value:.{digits}g}"
        for value in rng.normal(size=500) * 10.0 ** rng.integers(-30, 15, 500)
        for digits in (3, 17)
    ]
    fast = read(column("number"), texts)
    assert read(column("number"), [*texts, "x"]) == [*fast, BAD]
    assert fast == [float(text) for text in texts]


@pytest.mark.parametrize(
    ("options", "text", "expected"),
    [
        ({}, ["true", "NO", " y ", "0", "maybe", "", None], [True, False, True, False, BAD, BAD, None]),
        ({"true": ["Ja"], "false": ["Nein"]}, ["ja", "NEIN", "true"], [True, False, BAD]),
    ],
)
def test_booleans_are_read_or_refused(options: dict[str, Any], text: list[str], expected: list[Any]) -> None:
    assert read(column("boolean", **options), text) == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (pa.array([True, None]), [True, None]),
        (pa.array([1, 0, 2, None], pa.uint8()), [True, False, BAD, None]),
        (pa.array([1.0, 0.0, 0.5, float("nan"), None]), [True, False, BAD, None, None]),
    ],
)
def test_arrow_booleans(values: pa.Array, expected: list[Any]) -> None:
    assert read(column("boolean"), values) == expected


@pytest.mark.parametrize(
    ("options", "raw", "expected"),
    [
        ({}, ["a", " a", "NA", "?", "", None], ["a", " a", BAD, BAD, BAD, None]),
        ({"values": ["a", "NA"]}, ["a", "NA", "b", None], ["a", "NA", BAD, None]),
        ({}, ["a\0", "\0", "a", None], [BAD, BAD, "a", None]),
        ({}, pa.array([1, None, 2**60]), ["1", None, str(2**60)]),
        ({}, pa.array([1.0, float("nan"), 1.5, float("inf"), None]), ["1", None, BAD, BAD, None]),
        ({}, pa.array([True, None]), ["true", None]),
        ({}, pa.array(["a", None, "a"]).dictionary_encode(), ["a", None, "a"]),
        ({}, pa.array(["a", None], pa.large_string()), ["a", None]),
    ],
)
def test_categories_are_kept_exactly_as_found(options: dict[str, Any], raw: Any, expected: list[Any]) -> None:
    assert read(column("category", **options), raw) == expected


@pytest.mark.parametrize(
    ("options", "text", "expected"),
    [
        (
            {},
            ["2020-02-29", " 2020-01-01 ", "0001-01-01"],
            [dt.date(2020, 2, 29), dt.date(2020, 1, 1), dt.date(1, 1, 1)],
        ),
        ({}, ["2020-02-31", "2021-02-29", "2020-13-01", "2020-00-01", "2020-1-1", "0000-01-01"], [BAD] * 6),
        ({}, ["01.02.2020", "20200102", "2020-01-02T00:00", "", "x", None], [BAD] * 5 + [None]),
        ({"format": "%d.%m.%Y"}, ["1.2.2020", "31.02.2020", "2020-02-01"], [dt.date(2020, 2, 1), BAD, BAD]),
        ({"format": "%Y%m%d"}, ["20200229", "20210229"], [dt.date(2020, 2, 29), BAD]),
        ({"format": "%d %b %y"}, ["3 MAR 68", "03 mar 69"], [dt.date(2068, 3, 3), dt.date(1969, 3, 3)]),
        ({"format": "%B %d, %Y"}, ["December 7, 1941", "Dec 7, 1941"], [dt.date(1941, 12, 7), BAD]),
    ],
)
def test_dates_are_read_or_refused(options: dict[str, Any], text: list[str], expected: list[Any]) -> None:
    assert read(column("date", **options), text) == expected


def test_every_day_of_400_years_reads_back() -> None:
    days = pa.array(np.arange(-60_000, 90_000), pa.int32()).cast(pa.date32())
    found = read_values(column("date"), days.cast(pa.string()), ())
    assert found.values.equals(days)
    assert not found.refused.any()


@pytest.mark.parametrize(
    ("options", "text", "expected"),
    [
        ({}, ["Ünï ½", None, ""], ["Ünï ½", None, ""]),
        ({}, ["a\0", "\0", "a", None], [BAD, BAD, "a", None]),
        ({"replace": {r"\x00": ""}}, ["a\0", "\0", "a"], ["a", "", "a"]),
        ({"unicode": "NFKC"}, ["u\u0308 \ufb01"], ["\u00fc fi"]),
        ({"accents": "remove"}, ["Ünïcode Å", None], ["Unicode A", None]),
        ({"lower": True}, ["\u00dcN"], ["\u00fcn"]),
        (
            {"replace": {"[0-9]": "0", r"\s*([^\w\s])\s*": r" \1 "}},
            ["call 0871, now!!", None],
            ["call 0000 , now !  ! ", None],
        ),
    ],
)
def test_texts_are_brought_to_one_form(options: dict[str, Any], text: list[str], expected: list[Any]) -> None:
    assert read(column("text", **options), text) == expected


def test_a_form_stays_as_it_is() -> None:
    twice = column("text", replace={"aa": "a"})
    assert read(twice, ["aaaa", "b"]) == ["a", "b"]
    # ǰ in lower case is one letter with its accent, and J with the accent behind it has no capital form
    lower = column("text", unicode="NFC", lower=True)
    assert len({read(lower, [text])[0] for text in ("J\u030c", "\u01f0")}) == 1
    assert read(column("text", replace={"a": "aa"}), ["b", "a"]) == ["b", BAD]


def test_bytes_are_read_as_their_text_is() -> None:
    kind = column("text", lower=True, missing=["NA"])
    found = [read_values(kind, pa.array(raw), ("NA",)).values.to_pylist() for raw in (["NA", "B"], [b"NA", b"B"])]
    assert found[0] == found[1] == [None, "b"]


@pytest.mark.parametrize(
    ("kind", "options", "missing", "raw", "expected"),
    [
        ("number", {}, "-999", ["1", "-999.0", "-9.99e2", " -999"], [1.0, None, None, None]),
        ("number", {}, "-999", pa.array([1, -999], pa.int16()), [1.0, None]),
        ("number", {}, "-9.9", pa.array([1, -9.9], pa.float32()), [1.0, None]),
        ("number", {}, "-9.9", pa.array([Decimal("1.0"), Decimal("-9.9")]), [1.0, None]),
        ("number", {}, "300", pa.array([44], pa.int8()), [44.0]),
        ("number", {"decimal": ","}, "-1,5", pa.array([1.0, -1.5]), [1.0, None]),
        ("number", {}, "inf", ["1", "inf", "-inf"], [1.0, None, BAD]),
        ("number", {}, "inf", pa.array([1.0, np.inf, -np.inf]), [1.0, None, BAD]),
        ("number", {}, str(2**63 - 1), pa.array([1, 2**63 - 1, 2**63 - 2]), [1.0, None, BAD]),
        ("boolean", {}, "9", ["1", "9", "no"], [True, None, False]),
        ("boolean", {}, "9", pa.array([1, 0, 9, 8]), [True, False, None, BAD]),
        ("boolean", {}, "9", pa.array([1.0, 9.0, None]), [True, None, None]),
        ("category", {"values": ["1", "2"]}, "9", ["1", "9", "3"], ["1", None, BAD]),
        ("category", {"values": ["1", "2"]}, "9", pa.array([1, 9, 3]), ["1", None, BAD]),
        ("category", {"values": ["1", "2"]}, "9", pa.array([1.0, 9.0, None]), ["1", None, None]),
        ("category", {}, "009", pa.array([1, 9]), ["1", "9"]),
        ("date", {}, "1900-01-01", pa.array([dt.date(2020, 1, 2), dt.date(1900, 1, 1)]), [dt.date(2020, 1, 2), None]),
        ("datetime", {}, "1900-01-01", ["1900-01-01", "1900-01-01 00:00", None], [None, None, None]),
        ("text", {"lower": True}, "NA", ["NA", "na", "b"], [None, None, "b"]),
        ("text", {"lower": True}, "NA", pa.array([b"NA", b"na", b"\xff"]), [None, None, BAD]),
    ],
)  # fmt: skip
def test_what_stands_for_a_missing_value_does_so_in_every_form(
    kind: str, options: dict[str, Any], missing: str, raw: Any, expected: list[Any]
) -> None:
    assert read(column(kind, missing=[missing], **options), raw, (missing,)) == expected


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"unicode": "UTF"}, "unicode: 'UTF' is unknown (none, NFC"),
        ({"accents": "no"}, "accents: 'no' is unknown (keep, remove)"),
        ({"replace": {"(": ""}}, "replace: '(': found"),
    ],
)
def test_options_of_texts(options: dict[str, Any], text: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(text)):
        column("text", **options)


NOON = dt.datetime(2020, 2, 29, 12)


@pytest.mark.parametrize(
    ("options", "text", "expected"),
    [
        ({}, ["2020-02-29T12:00:00", "2020-02-29 12:00"], [NOON, NOON]),
        ({}, ["2020-02-29", "2020-02-29T12:00:00.000001"], [dt.datetime(2020, 2, 29), NOON.replace(microsecond=1)]),
        ({}, ["2020-02-29T12:00:00Z", "2020-02-29T12:00:00+01:00", "2020-02-29T25:00", "2020-02-30T12:00"], [BAD] * 4),
        (
            {},
            ["2020-02-29T12:60", "2020-02-29T12:00:60", "2020-02-29T12:00:00.0000001", "29.2.2020", None],
            [BAD] * 4 + [None],
        ),
        ({"format": "%Y-%m-%dT%H:%M:%S%z"}, ["2020-02-29T12:00:00Z", "2020-02-29T13:30:00+01:30"], [NOON, NOON]),
        ({"format": "%Y-%m-%dT%H:%M:%S%z"}, ["2020-02-29T12:00:00", "2020-02-29T12:00:00+25:00"], [BAD, BAD]),
        ({"format": "%d/%m/%Y %I:%M %p"}, ["29/2/2020 12:00 PM", "29/2/2020 13:00 pm"], [NOON, BAD]),
        ({"format": "%m/%d/%Y %H:%M:%S.%f"}, ["2/29/2020 12:00:00.5"], [NOON.replace(microsecond=500_000)]),
    ],
)
def test_moments_are_read_or_refused(options: dict[str, Any], text: list[str], expected: list[Any]) -> None:
    assert read(column("datetime", **options), text) == expected


DAY = dt.date(2020, 2, 29)


@pytest.mark.parametrize(
    ("kind", "options", "values", "expected"),
    [
        ("date", {}, pa.array([DAY, None]), [DAY, None]),
        ("date", {}, pa.array([DAY, None], pa.date64()), [DAY, None]),
        ("date", {}, pa.array([dt.datetime(2020, 2, 29), NOON, None], pa.timestamp("ns")), [DAY, BAD, None]),
        ("date", {}, pa.array([dt.datetime(1960, 2, 29), None], pa.timestamp("s")), [dt.date(1960, 2, 29), None]),
        ("date", {}, pa.array([NOON.replace(tzinfo=UTC)], pa.timestamp("us", "UTC")), [BAD]),
        ("date", {}, pa.array([2**31 - 1], pa.int32()).cast(pa.date32()), [BAD]),
        ("datetime", {}, pa.array([DAY, None]), [dt.datetime(2020, 2, 29), None]),
        ("datetime", {}, pa.array([DAY, None], pa.date64()), [dt.datetime(2020, 2, 29), None]),
        ("datetime", {}, pa.array([NOON, None], pa.timestamp("s")), [NOON, None]),
        ("datetime", {}, pa.array([1500, 1, None], pa.timestamp("ns")), [BAD, BAD, None]),
        (
            "datetime",
            {},
            pa.array([-2000, None], pa.timestamp("ns")),
            [dt.datetime(1969, 12, 31, 23, 59, 59, 999998), None],
        ),
        ("datetime", {}, pa.array([2**62, 0], pa.timestamp("s")), [BAD, dt.datetime(1970, 1, 1)]),
        ("datetime", {}, pa.array([NOON.replace(tzinfo=UTC)], pa.timestamp("us", "Europe/Berlin")), [BAD]),
        ("datetime", {"format": "%Y-%m-%d%z"}, pa.array([NOON], pa.timestamp("us", "Europe/Berlin")), [NOON]),
        ("datetime", {"format": "%Y-%m-%d%z"}, pa.array([NOON, None], pa.timestamp("us")), [BAD, None]),
    ],
)
def test_arrow_dates_and_moments_are_taken_without_loss(
    kind: str, options: dict[str, Any], values: pa.Array, expected: list[Any]
) -> None:
    assert read(column(kind, **options), values) == expected


@pytest.mark.parametrize(
    ("kind", "raw"), [("date", pa.array([1])), ("datetime", pa.array([1.5])), ("text", pa.array([1]))]
)
def test_values_of_a_type_that_is_never_right(kind: str, raw: pa.Array) -> None:
    assert column(kind).type.convert(raw, column(kind).config) is None


def test_every_text_is_a_text() -> None:
    assert read(column("text"), ["", "NA", "a\nb", None], missing=("NA",)) == ["", None, "a\nb", None]


@pytest.mark.parametrize("name", TABULAR)
def test_no_values_and_none_but_missing_ones(name: str) -> None:
    kind = column(name)
    for raw in (pa.array([], pa.string()), pa.array([], kind.storage), pa.chunked_array([], pa.string()), pa.nulls(0)):
        assert read(kind, raw) == []
        assert len(kind.type.digest(read_values(kind, raw, ()).values)) == 0
    for raw in (pa.nulls(3), pa.nulls(3, pa.string()), pa.nulls(3, kind.storage), pa.array(["?"] * 3)):
        assert read(kind, raw, missing=("?",)) == [None] * 3
        assert len(kind.type.digest(read_values(kind, raw, ("?",)).values)) == 3


# the first example of a type in another spelling
AGAIN = {"datetime": "2020-01-01 01:02:03.0", "number": "0.0", "sequence": "acgt"}


@pytest.mark.parametrize("name", TABULAR)
def test_equal_values_have_one_digest_wherever_they_stand(name: str) -> None:
    kind = column(name)
    values = [*kind.type.examples[:2], AGAIN.get(name, kind.type.examples[0])]
    first, second, again = kind.type.digest(read_values(kind, pa.array(values), ()).values)
    assert first == again
    assert first != second
    sliced = read_values(kind, pa.array([values[1], None, *values])[2:], ())
    chunked = read_values(kind, pa.chunked_array([values[:1], [], values[1:]]), ())
    for found in (sliced, chunked):
        np.testing.assert_array_equal(kind.type.digest(found.values), [first, second, again])


@pytest.mark.parametrize("name", TABULAR)
def test_what_is_stored_is_taken_again(name: str) -> None:
    kind = column(name)
    stored = read_values(kind, pa.array([*kind.type.examples, None]), ()).values
    again = read_values(kind, stored, ())
    assert again.values.equals(stored)
    assert not again.refused.any()


@pytest.mark.parametrize(
    ("kind", "options", "text"),
    [
        (
            "date",
            {"format": "%Y-%m"},
            "format: found '%Y-%m', expected one year, one month and one day, as in '%d.%m.%Y'.",
        ),
        (
            "date",
            {"format": "%Y-%m-%d %H"},
            "format: found '%H' in '%Y-%m-%d %H', expected some of %Y, %y, %m, %b, %B, %d.",
        ),
        ("date", {"format": "%Y-%m-%d-%d"}, "format: found '%d' twice in '%Y-%m-%d-%d', expected each part once."),
        ("datetime", {"format": "%Y-%m-%d %I"}, "format: found '%Y-%m-%d %I', expected either %H, or %I and %p."),
        ("number", {"decimal": ";"}, "decimal: found ';', expected '.' or ','."),
        (
            "number",
            {"scale": "logs"},
            "scale: 'logs' is unknown (standard, log, robust, quantile). Did you mean 'log'?",
        ),
        ("number", {"clip": 3.0}, "clip: found 3.0, expected a share between 0 and 0.5, such as 0.01."),
        ("boolean", {"true": []}, "true: found [], expected one text or more."),
        ("category", {"values": ["a", "b", "a"]}, "values: found ['a'], expected each value once."),
    ],
)
def test_options_that_make_no_sense(kind: str, options: dict[str, Any], text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        column(kind, **options)
    assert str(caught.value) == text


@pytest.mark.parametrize(
    ("kind", "found", "text"),
    [
        ("number", "NA", "not a finite number (row 1: 'NA'). Write missing: ['NA'] if it stands for a missing value."),
        ("number", "1e400", "not a finite number (row 1: '1e400'). Numbers may be as large as 1e+150."),
        ("number", "inf", "not a finite number (row 1: 'inf'). Infinity is no number to learn from."),
        (
            "number",
            "1,5",
            "not a finite number (row 1: '1,5'). Set thousands or decimal for numbers that are written like this.",
        ),
        ("boolean", "?", "not yes or no (row 1: '?'). Write missing: ['?'] if it stands for a missing value."),
        (
            "date",
            "31.1.2020",
            "not a date in the column's format (row 1: '31.1.2020'). Dates are expected as 2024-02-29; set format, or "
            "type: datetime for days with a time.",
        ),
        (
            "datetime",
            "2020-01-01T00:00Z",
            "not a date and time in the column's format (row 1: '2020-01-01T00:00Z'). Moments are expected as "
            "2024-02-29T12:30:59; set format, such as '%Y-%m-%dT%H:%M:%S%z' with an offset.",
        ),
    ],
)
def test_the_advice_for_a_refused_value(kind: str, found: str, text: str) -> None:
    of, refused = column(kind), Refused()
    raw = pa.array([found])
    refused.add(of, raw, read_values(of, raw, ()).refused, np.array([1]))
    assert str(refused.error("a.csv", [of])) == f"a.csv: column 'x': 1 value is {text}"
