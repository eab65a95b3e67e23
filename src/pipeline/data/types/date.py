"""Days, such as 2024-02-29, stored as date32."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.config import ColumnConfig
from pipeline.data.digests import mixed
from pipeline.data.types.clock import ISO_DATE, OF_DATES, pattern_of, read_moments
from pipeline.data.types.markers import are_stored
from pipeline.data.types.type import Parsed, Type, all_refused, doubtful, none_refused, refused_where

ISO = "iso"
DAY = 86_400  # seconds
# from year 1 to year 9999, which is what Python's dates can hold
FIRST_DAY, LAST_DAY = (int(np.datetime64(day, "D").astype(np.int64)) for day in ("0001-01-01", "9999-12-31"))


@dataclass
class DateColumn(ColumnConfig):
    """`format` says how a date is written: `iso` is 2024-02-29, and others are made of %Y %y %m %b %B %d, such as
    `%d.%m.%Y`. %m and %d may lack a leading zero, and the names of months are English, in upper or lower case."""

    format: str = ISO

    def check(self) -> None:
        self.pattern()

    def pattern(self) -> str:
        return ISO_DATE if self.format == ISO else pattern_of(self.format, OF_DATES)


class Date(Type):
    config = DateColumn
    expected = "a date in the column's format"
    examples = ("2020-01-01", "1960-01-01", "2024-02-29")

    def storage(self, config: Any) -> pa.DataType:
        return pa.date32()

    def parse(self, text: pa.StringArray, config: DateColumn) -> Parsed:
        moments, good = read_moments(pc.utf8_trim_whitespace(text), config.pattern())
        null = text.is_null().to_numpy(zero_copy_only=False)
        days = (moments // (DAY * 1_000_000)).astype(np.int32)
        return Parsed(pa.array(days, mask=~good).cast(pa.date32()), ~good & ~null)

    def convert(self, values: pa.Array, config: DateColumn) -> Parsed | None:
        """Timestamps are dates if each is a midnight, and if they are in no time zone."""
        kind = values.type
        if pa.types.is_date32(kind):
            return _within_years(values.cast(pa.int32()))
        if pa.types.is_date64(kind):
            values, kind = values.cast(pa.int64()).cast(pa.timestamp("ms")), pa.timestamp("ms")
        if not pa.types.is_timestamp(kind):
            return None
        if kind.tz is not None:
            return all_refused(values, pa.date32())
        per_day = DAY * {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[kind.unit]
        units = pc.fill_null(values.cast(pa.int64()), 0).to_numpy(zero_copy_only=False)
        days, rest = np.divmod(units, per_day)
        found = _within_years(pa.array(days, mask=values.is_null().to_numpy(zero_copy_only=False)))
        return refused_where(found.values, found.refused | (rest != 0))

    def marked(self, values: pa.Array, missing: pa.StringArray, config: DateColumn) -> pa.BooleanArray:
        return are_stored(values, self.parse(missing, config).values)

    def digest(self, values: pa.Array) -> NDArray[np.uint64]:
        days = pc.fill_null(values.cast(pa.int32()), 0).to_numpy(zero_copy_only=False)
        return mixed(days.astype(np.int64).view(np.uint64))

    def advice(self, found: str, config: DateColumn) -> str:
        how = "2024-02-29" if config.format == ISO else config.format
        return doubtful(found) or f"Dates are expected as {how}; set format, or type: datetime for days with a time."


def _within_years(days: pa.Array) -> Parsed:
    """Days (N,) since 1970 as dates, and those refused that no calendar of Python holds."""
    outside = pc.or_(pc.less(days, FIRST_DAY), pc.greater(days, LAST_DAY))
    refused = pc.fill_null(outside, False).to_numpy(zero_copy_only=False)
    if not refused.any():
        return none_refused(days.cast(pa.int32()).cast(pa.date32()))
    kept = refused_where(days, refused)
    return Parsed(kept.values.cast(pa.int32()).cast(pa.date32()), refused)
