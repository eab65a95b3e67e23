"""What a column holds: its type, and how its values are written."""

import unicodedata

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.data.reading import value_of
from pipeline.data.types import TYPES
from pipeline.data.types.boolean import BooleanColumn
from pipeline.data.types.datetime import WITH_OFFSET
from pipeline.data.types.type import DOUBTFUL
from pipeline.inspecting.dates import dates_of
from pipeline.inspecting.found import Found, plain, several, short
from pipeline.inspecting.numbers import doubtful_thousands, has_leading_zeros, numbers_of

Counts = NDArray[np.int64]

FEW = 20  # so many distinct texts are categories, however long they are
ROWS_EACH = 10  # and so are more, if each stands in so many rows on average
WORDS = 3  # so many on average are a text
SHOWN = 3  # examples


def found_in(name: str, values: pa.Array) -> Found:
    """What the raw values (N,) of a column are."""
    found = _of_texts(name, values) if pa.types.is_string(values.type) else _of_others(name, values)
    if found.type is not None:
        found.look_at_all()
    return found


def _of_others(name: str, raw: pa.Array) -> Found:
    """Columns of Parquet and Arrow files, which have types."""
    values, kind = raw, raw.type
    found = Found(name, missing=values.null_count)
    if pa.types.is_boolean(kind):
        found.type = "boolean"
    elif pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_decimal(kind):
        found.type = "number"
        values = values.cast(pa.float64(), safe=False)
        values = pc.if_else(pc.is_nan(values), pa.scalar(None, pa.float64()), values)
        found.missing = values.null_count
    elif pa.types.is_date(kind):
        found.type = "date"
    elif pa.types.is_timestamp(kind):
        found.type = "datetime"
        found.options |= {"format": WITH_OFFSET} if kind.tz is not None else {}
    elif pa.types.is_null(kind):
        found.type = "category"
    else:
        found.leave_out(f"{kind}, which no type takes")
        return found
    distinct = pc.unique(values.drop_null())
    found.distinct = len(distinct if not pa.types.is_integer(kind) else pc.unique(raw.drop_null()))
    if found.distinct and found.type == "number":
        found.look_at_numbers(distinct.to_numpy(), len(values) - found.missing)
    elif found.distinct and found.type == "boolean":
        found.shown = ", ".join(sorted("yes" if value else "no" for value in distinct.to_pylist()))
    elif found.distinct:
        ends = pc.min_max(distinct.cast(pa.timestamp("us"), safe=False) if pa.types.is_timestamp(kind) else distinct)
        found.shown = f"{short(value_of(ends['min']))} to {short(value_of(ends['max']))}"
    return found


def _of_texts(name: str, values: pa.StringArray) -> Found:
    counted = pc.value_counts(values.drop_null())
    texts, counts = counted.field("values"), counted.field("counts").to_numpy()
    doubtful = pc.is_in(pc.utf8_trim_whitespace(texts), pa.array(DOUBTFUL)).to_numpy(zero_copy_only=False)
    found = Found(name, absent=sorted(texts.filter(pa.array(doubtful)).to_pylist()))
    texts, counts = texts.filter(pa.array(~doubtful)), counts[~doubtful]
    found.missing, found.distinct = len(values) - int(counts.sum()), len(texts)
    if not len(texts):
        found.type = "category"
    elif not (_numbers(found, texts, counts) or _dates(found, texts)):
        _names(found, texts, counts)
    if found.type != "number" and (told := [text for text in found.absent if text]):
        found.remarks.append(f"{', '.join(map(plain, told))} taken for missing")
    return found


def _numbers(found: Found, texts: pa.StringArray, counts: Counts) -> bool:
    """Whether these are numbers, but for a few texts, which are then taken for missing."""
    numbers = numbers_of(texts, counts)
    if numbers is None:
        return False
    found.type = "number"
    column = numbers.column
    found.options |= {"decimal": column.decimal} if column.decimal != "." else {}
    found.options |= {"thousands": column.thousands} if column.thousands else {}
    if either := doubtful_thousands(texts, column):
        found.doubt(f"{either} may have thousands or decimals; taken for thousands")
    if told := [text for text in (*found.absent, *numbers.strays) if text]:
        found.remarks.append(f"numbers but {several(len(told), 'text')}: {', '.join(map(plain, told))}")
    if numbers.strays:
        found.doubt(f"{', '.join(map(plain, numbers.strays))} taken for missing")
    stray = pc.is_in(texts, pa.array(numbers.strays, pa.string())).to_numpy(zero_copy_only=False)
    found.absent = sorted([*found.absent, *numbers.strays])
    found.missing += int(counts[stray].sum())
    values = pc.unique(TYPES["number"].parse(texts.filter(pa.array(~stray)), column).values)
    found.distinct = len(values)
    found.look_at_numbers(values.to_numpy(), int(counts[~stray].sum()))
    return True


def _dates(found: Found, texts: pa.StringArray) -> bool:
    """Whether these are dates, with or without a time of day."""
    dates = dates_of(texts)
    if dates is None:
        return False
    if dates.column is None:
        found.type = "text"
        found.shown = ", ".join(map(plain, texts[:SHOWN].to_pylist()))
        found.leave_out(f"a date in two formats: {' and '.join(dates.formats)}")
        return True
    found.type = dates.column.type
    found.options |= {"format": dates.column.format} if dates.column.format != "iso" else {}
    if dates.other:
        found.doubt(f"{dates.column.format} or {dates.other}? No day is after the 12th; taken for the first")
    values = TYPES[found.type].parse(texts, dates.column).values
    ends = pc.min_max(values)
    found.shown = f"{short(ends['min'].as_py())} to {short(ends['max'].as_py())}"
    return True


def _names(found: Found, texts: pa.StringArray, counts: Counts) -> None:
    """Booleans, categories or texts."""
    rows = int(counts.sum())
    first = [texts[int(i)].as_py() for i in np.argsort(-counts, kind="stable")[:SHOWN]]
    found.shown = ", ".join(map(plain, first)) + (", ..." if len(texts) > SHOWN else "")
    if _is_boolean(texts):
        found.type = "boolean"
        return
    words = float(np.mean([len(text.split()) for text in texts.to_pylist()]))
    if len(texts) > FEW and len(texts) * ROWS_EACH > rows and words >= WORDS:
        found.type, found.shown = "text", plain(first[0])
        return
    found.type = "category"
    if has_leading_zeros(texts):
        found.remarks.append("leading zeros: codes, not numbers")
    found.look_at_names(words, rows)
    if not found.why and len(texts) > FEW and len(texts) * 2 > rows:
        found.leave_out(f"{len(texts)} values in {rows} rows: an id?")
    found.remarks += [
        f"{one!r} differs from {other!r} by case or blanks alone" for one, other in alike(texts.to_pylist())[:SHOWN]
    ]


def _is_boolean(texts: pa.StringArray) -> bool:
    column = BooleanColumn("boolean")
    known = TYPES["boolean"].parse(texts, column)
    return not known.refused.any() and len(pc.unique(known.values)) == 2


def alike(texts: list[str]) -> list[tuple[str, str]]:
    """Which texts differ from an earlier one by case, blanks or Unicode form alone, as a person would not see."""
    known: dict[str, str] = {}
    pairs = ((text, known.setdefault(unicodedata.normalize("NFKC", text).strip().casefold(), text)) for text in texts)
    return [(text, other) for text, other in pairs if text != other]
