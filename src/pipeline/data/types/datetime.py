"""Moments, such as 2024-02-29T12:30, stored as timestamps in microseconds."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.config import ColumnConfig
from pipeline.data.digests import mixed
from pipeline.data.types.clock import ISO_DATETIME, pattern_of, read_moments
from pipeline.data.types.date import ISO
from pipeline.data.types.markers import are_stored
from pipeline.data.types.type import Parsed, Type, all_refused, doubtful

STORAGE = pa.timestamp("us")
FIRST, LAST = (int(np.datetime64(t, "us").astype(np.int64)) for t in ("0001-01-01", "9999-12-31T23:59:59.999999"))
WITH_OFFSET = "%Y-%m-%dT%H:%M:%S%z"


@dataclass
class DatetimeColumn(ColumnConfig):
    """`format` says how a moment is written: `iso` is 2024-02-29T12:30:59.25, where a blank may stand for the T, and
    seconds or the whole time of day may be left out. Others are made of %Y %y %m %b %B %d %H %I %p %M %S %f %z.

    With %z each value has an offset such as +01:00 or Z, and it is stored in UTC; Arrow's timestamps must then have a
    time zone. Without %z no value may have one.
    """

    format: str = ISO

    def check(self) -> None:
        self.pattern()

    def pattern(self) -> str:
        return ISO_DATETIME if self.format == ISO else pattern_of(self.format)

    @property
    def has_offset(self) -> bool:
        return "%z" in self.format.replace("%%", "")


class Datetime(Type):
    config = DatetimeColumn
    expected = "a date and time in the column's format"
    examples = ("2020-01-01T01:02:03", "1960-01-01", "2024-02-29 12:00")

    def storage(self, config: Any) -> pa.DataType:
        return STORAGE

    def parse(self, text: pa.StringArray, config: DatetimeColumn) -> Parsed:
        moments, good = read_moments(pc.utf8_trim_whitespace(text), config.pattern())
        good &= (moments >= FIRST) & (moments <= LAST)
        null = text.is_null().to_numpy(zero_copy_only=False)
        return Parsed(pa.array(moments, mask=~good).cast(STORAGE), ~good & ~null)

    def convert(self, values: pa.Array, config: DatetimeColumn) -> Parsed | None:
        """Timestamps of nanoseconds must be whole microseconds. A date is its midnight."""
        kind = values.type
        if pa.types.is_date(kind):
            unit = "s" if pa.types.is_date32(kind) else "ms"
            whole = values.cast(pa.int32() if unit == "s" else pa.int64()).cast(pa.int64())
            values = pc.multiply(whole, 86_400) if unit == "s" else whole
            kind = pa.timestamp(unit)
        if not pa.types.is_timestamp(kind):
            return None
        if (kind.tz is not None) != config.has_offset:
            return all_refused(values, STORAGE)
        null = values.is_null().to_numpy(zero_copy_only=False)
        units = pc.fill_null(values.cast(pa.int64()), 0).to_numpy(zero_copy_only=False)
        factor = {"s": 10**6, "ms": 10**3, "us": 1, "ns": 1}[kind.unit]
        bad = (units < FIRST // factor) | (units > LAST // factor) if kind.unit != "ns" else units % 1000 != 0
        moments = units // 1000 if kind.unit == "ns" else np.where(bad, 0, units) * factor
        return Parsed(pa.array(moments, mask=null | bad).cast(STORAGE), bad)

    def marked(self, values: pa.Array, missing: pa.StringArray, config: DatetimeColumn) -> pa.BooleanArray:
        return are_stored(values, self.parse(missing, config).values)

    def digest(self, values: pa.Array) -> NDArray[np.uint64]:
        return mixed(pc.fill_null(values.cast(pa.int64()), 0).to_numpy(zero_copy_only=False).view(np.uint64))

    def advice(self, found: str, config: DatetimeColumn) -> str:
        if doubt := doubtful(found):
            return doubt
        if config.format == ISO:
            return f"Moments are expected as 2024-02-29T12:30:59; set format, such as {WITH_OFFSET!r} with an offset."
        return f"Moments are expected as {config.format}; %z is for offsets and time zones."
