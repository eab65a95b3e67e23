"""In which format the dates of a column are written."""

import re
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from pipeline.data.types import TYPES
from pipeline.data.types.clock import Bools
from pipeline.data.types.date import ISO, DateColumn
from pipeline.data.types.datetime import DatetimeColumn

# Where a day and a month cannot be told apart, the first of both formats is taken.
DATES = (
    *("%Y/%m/%d", "%Y.%m.%d", "%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y", "%m-%d-%Y", "%d-%m-%Y"),
    *("%d.%m.%y", "%m/%d/%y", "%d/%m/%y", "%d-%b-%Y", "%d-%b-%y", "%d %b %Y", "%b %d, %Y", "%d %B %Y", "%B %d, %Y"),
)
TIMES = ("%H:%M", "%H:%M:%S", "%H:%M:%S.%f", "%I:%M %p", "%I:%M:%S %p")
OFFSETS = tuple(f"%Y-%m-%d{sign}{time}%z" for sign in ("T", " ") for time in ("%H:%M", "%H:%M:%S", "%H:%M:%S.%f"))
DATE_COLUMNS = tuple(DateColumn("date", format=format) for format in (ISO, *DATES))
DATETIME_COLUMNS = tuple(
    DatetimeColumn("datetime", format=format) for format in (ISO, *OFFSETS, *(f"{d} {t}" for d in DATES for t in TIMES))
)
SAMPLED, LONGEST = 200, 40
# Day, month and year, or a month by its name first: what each date has, and few other texts. It saves trying them all.
LIKELY = re.compile(r"\d[-/. ](\d{1,2}|[A-Za-z]{3,9})[-/. ]\d|[A-Za-z]{3,9} \d{1,2}, \d")

Column = DateColumn | DatetimeColumn


@dataclass(frozen=True)
class Dates:
    """The column that reads all texts, None where no single one does. `formats` are then two formats that read all of
    them together. `other` is another format that reads all of them, but as other days."""

    column: Column | None
    formats: tuple[str, ...] = ()
    other: str = ""


def dates_of(texts: pa.StringArray) -> Dates | None:
    """How texts (N,) are read as dates; None if they are none."""
    few = texts[:: max(1, len(texts) // SAMPLED)]
    if not all(len(text) <= LONGEST and LIKELY.search(text) for text in few.to_pylist()):
        return None
    for columns in (DATE_COLUMNS, DATETIME_COLUMNS):
        read = {column.format: _read(few, column) for column in columns}
        likely = [column for column in columns if read[column.format].any()]
        fit = [column for column in likely if read[column.format].all() and _read(texts, column).all()]
        if fit:
            others = [column.format for column in fit[1:] if _swapped(fit[0].format) == column.format]
            return Dates(fit[0], other=others[0] if others else "")
        if two := _two(texts, likely):
            return Dates(None, formats=two)
    return None


def _read(texts: pa.StringArray, column: Column) -> Bools:
    return ~TYPES[column.type].parse(texts, column).refused


def _swapped(format: str) -> str:
    """The format with day and month in each other's place."""
    return format.replace("%d", "\0").replace("%m", "%d").replace("\0", "%m")


def _two(texts: pa.StringArray, columns: list[Column]) -> tuple[str, ...]:
    """Two formats of which each text has one, the more frequent first; empty if there are no such two."""
    read = {column.format: _read(texts, column) for column in columns}
    if not read:
        return ()
    first = max(read, key=lambda format: read[format].sum())
    for format, good in read.items():
        if bool(np.all(good | read[first])) and not good.all():
            return first, format
    return ()
