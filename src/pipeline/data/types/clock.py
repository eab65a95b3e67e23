"""Dates and times as text. A format is read as a regular expression and each part is checked, so that 31 February is
refused; the parsers of C and Arrow make 2 March of it."""

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.errors import ConfigError

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
LONG_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
# what each directive stands for: the name of the part, and how it is written
DIRECTIVES = {
    "Y": ("year", "[0-9]{4}"),
    "y": ("short", "[0-9]{2}"),
    "m": ("month", "[0-9]{1,2}"),
    "b": ("name", "|".join(MONTHS)),
    "B": ("long", "|".join(LONG_MONTHS)),
    "d": ("day", "[0-9]{1,2}"),
    "H": ("hour", "[0-9]{1,2}"),
    "I": ("half", "[0-9]{1,2}"),
    "p": ("noon", "am|pm"),
    "M": ("minute", "[0-9]{2}"),
    "S": ("second", "[0-9]{2}"),
    "f": ("fraction", "[0-9]{1,6}"),
    "z": ("offset", "z|[+-][0-9]{2}:?[0-9]{2}"),
}
OF_DATES = ("Y", "y", "m", "b", "B", "d")
MICROSECONDS = {"hour": 3_600_000_000, "minute": 60_000_000, "second": 1_000_000}
ISO_DATE = "(?P<year>[0-9]{4})-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})"
ISO_TIME = r"[t ](?P<hour>[0-9]{2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:\.(?P<fraction>[0-9]{1,6}))?)?"
ISO_DATETIME = f"{ISO_DATE}(?:{ISO_TIME})?"

Bools = NDArray[np.bool_]


def pattern_of(format: str, directives: tuple[str, ...] = tuple(DIRECTIVES)) -> str:
    """The regular expression of a format such as `%d.%m.%Y`. Raises ConfigError for a format that names no day."""
    pattern, names = "", set()
    for part in re.findall("%.?|[^%]+", format, flags=re.DOTALL):
        if not part.startswith("%"):
            pattern += re.escape(part.lower())
        elif part == "%%":
            pattern += "%"
        elif part[1:] not in directives:
            known = ", ".join(f"%{directive}" for directive in directives)
            raise ConfigError(f"format: found {part!r} in {format!r}, expected some of {known}.")
        else:
            name, written = DIRECTIVES[part[1:]]
            if name in names:
                raise ConfigError(f"format: found {part!r} twice in {format!r}, expected each part once.")
            names.add(name)
            pattern += f"(?P<{name}>{written})"
    for needed in ({"year", "short"}, {"month", "name", "long"}, {"day"}):
        if len(names & needed) != 1:
            raise ConfigError(f"format: found {format!r}, expected one year, one month and one day, as in '%d.%m.%Y'.")
    if ("half" in names) != ("noon" in names) or {"half", "hour"} <= names:
        raise ConfigError(f"format: found {format!r}, expected either %H, or %I and %p.")
    return pattern


def read_moments(text: pa.StringArray, pattern: str) -> tuple[NDArray[np.int64], Bools]:
    """The moments (N,) in microseconds since 1970 (in UTC where the texts have an offset) and which texts (N,) are
    right. What the moment is where a text is null or wrong does not matter."""
    found = pc.extract_regex(pc.utf8_lower(text), f"^(?:{pattern})$")
    good: Bools = found.is_valid().to_numpy(zero_copy_only=False).copy()
    parts = {found.type.field(i).name: found.field(i) for i in range(found.type.num_fields)}
    year, month, day = _year(parts), _month(parts), _number(parts["day"])
    first = (np.clip(year, 1, 9999) - 1970) * 12 + np.clip(month, 1, 12) - 1
    start, following = (months.astype("datetime64[M]").astype("datetime64[D]") for months in (first, first + 1))
    good &= (year >= 1) & (month >= 1) & (month <= 12)
    good &= (day >= 1) & (day <= (following - start).astype(np.int64))
    moments = (start.astype(np.int64) + np.where(good, day, 1) - 1) * 86_400_000_000
    for name, most in (("hour", 23), ("minute", 59), ("second", 59)):
        if name in parts:
            value = _number(parts[name])
            good &= value <= most
            moments += np.where(good, value, 0) * MICROSECONDS[name]
    if "half" in parts:
        value = _number(parts["half"])
        good &= (value >= 1) & (value <= 12)
        afternoon = pc.fill_null(pc.equal(parts["noon"], "pm"), False).to_numpy(zero_copy_only=False)
        moments += (value % 12 + 12 * afternoon) * MICROSECONDS["hour"]
    if "fraction" in parts:
        moments += _number(pc.utf8_rpad(parts["fraction"], 6, "0"))
    if "offset" in parts:
        offset, right = _offset(parts["offset"])
        good &= right
        moments -= offset
    return moments, good


def _number(digits: pa.StringArray) -> NDArray[np.int64]:
    """The numbers (N,) that digits stand for; 0 where there are none."""
    written = pc.if_else(pc.equal(pc.fill_null(digits, ""), ""), "0", digits)
    numbers: NDArray[np.int64] = pc.cast(written, pa.int64()).to_numpy(zero_copy_only=False)
    return numbers


def _year(parts: dict[str, pa.StringArray]) -> NDArray[np.int64]:
    """The year; of two digits as POSIX reads them, 69 to 99 being 1969 to 1999."""
    if "year" in parts:
        return _number(parts["year"])
    short = _number(parts["short"])
    return short + np.where(short >= 69, 1900, 2000)


def _month(parts: dict[str, pa.StringArray]) -> NDArray[np.int64]:
    if "month" in parts:
        return _number(parts["month"])
    name, names = ("name", MONTHS) if "name" in parts else ("long", LONG_MONTHS)
    index = pc.fill_null(pc.index_in(parts[name], pa.array(names)), -1)
    months: NDArray[np.int64] = index.to_numpy(zero_copy_only=False).astype(np.int64) + 1
    return months


def _offset(texts: pa.StringArray) -> tuple[NDArray[np.int64], Bools]:
    """Offsets (N,) such as +01:30 in microseconds, and which (N,) are right. Z is the offset 0."""
    digits = pc.replace_substring(pc.if_else(pc.equal(texts, "z"), "+0000", texts), ":", "")
    hours, minutes = _number(pc.utf8_slice_codeunits(digits, 1, 3)), _number(pc.utf8_slice_codeunits(digits, 3, 5))
    west = pc.fill_null(pc.starts_with(digits, "-"), False).to_numpy(zero_copy_only=False)
    offset = hours * MICROSECONDS["hour"] + minutes * MICROSECONDS["minute"]
    return np.where(west, -offset, offset), (hours <= 23) & (minutes <= 59)


def since_1970(values: pa.Array) -> pa.Array:
    """Stored dates as days and moments as microseconds since 1970; other values as they are."""
    whole = {pa.date32(): pa.int32(), pa.timestamp("us"): pa.int64()}
    return values.cast(whole.get(values.type, values.type))
