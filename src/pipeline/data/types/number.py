"""Numbers, stored as float64. Whole numbers beyond 2^53 are refused, because float64 cannot tell them apart."""

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.config import ColumnConfig
from pipeline.config.checks import check, one_of
from pipeline.data.digests import mixed
from pipeline.data.types.markers import are_numbers
from pipeline.data.types.type import Parsed, Type, doubtful, none_refused, refused_where

LARGEST_WHOLE = 2**53
LARGEST = 1e150  # float64 holds the square of it, which a deviation needs
# what float64 reads but nobody means by a number in a table
PLAIN = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"
WHOLE = r"^[+-]?[0-9]{16,}(\.0*)?$"


STANDARD, LOG, ROBUST, QUANTILE = SCALES = ("standard", "log", "robust", "quantile")


@dataclass
class NumberColumn(ColumnConfig):
    """`decimal` is the sign before the decimals, and `thousands` the sign between groups of three digits, if any.

    The others say what a model sees of a feature. `clip` is a share: values below that quantile of the training rows,
    or above the same one from the other end, become it. Then `scale` brings the values to mean 0 and deviation 1:
    `standard` as they are, `log` their logarithm sign(x) log(1 + |x|), and `quantile` their rank among the training
    rows; `robust` brings them to median 0 and a distance of 1 between the quartiles instead. An income, of which a few
    are very large::

        income: {type: number, scale: log, clip: 0.001}
    """

    decimal: str = "."
    thousands: str = ""
    scale: str = STANDARD
    clip: float | None = None

    def check(self) -> None:
        check(self.decimal in (".", ","), "decimal", self.decimal, "'.' or ','")
        good = self.thousands in ("", ".", ",", " ", "'", "_") and self.thousands != self.decimal
        check(good, "thousands", self.thousands, "one of . , ' _ or a blank, other than decimal, or nothing")
        one_of("scale", self.scale, SCALES)
        check(self.clip is None or 0 < self.clip < 0.5, "clip", self.clip, "a share between 0 and 0.5, such as 0.01")


class Number(Type):
    config = NumberColumn
    expected = "a finite number"
    examples = ("-0", "1.5", "1e3")

    def storage(self, config: Any) -> pa.DataType:
        return pa.float64()

    def parse(self, text: pa.StringArray, config: NumberColumn) -> Parsed:
        """Most columns hold nothing but plain numbers, so the whole column is read at once. Only where that fails, or
        finds what needs another look, is each text looked at."""
        if not config.thousands and config.decimal == ".":
            try:
                values = pc.cast(text, pa.float64())
            except pa.ArrowInvalid:
                pass
            else:
                numbers = (pc.fill_null(values, 0.0) if values.null_count else values).to_numpy()
                # NaN and infinity are not within the bounds
                if not len(numbers) or (numbers.max() < LARGEST_WHOLE and numbers.min() > -LARGEST_WHOLE):
                    return none_refused(values)
        return self._parse_each(self._plain(pc.utf8_trim_whitespace(text), config))

    def _parse_each(self, plain: pa.StringArray) -> Parsed:
        good = pc.match_substring_regex(plain, PLAIN)
        # 0 stands for null, which is not refused, and becomes null again at the end
        safe = pc.if_else(pc.fill_null(good, False), plain, pa.scalar("0"))
        values = pc.cast(safe, pa.float64()).to_numpy(zero_copy_only=False)
        refused = ~pc.fill_null(good, True).to_numpy(zero_copy_only=False) | ~(np.abs(values) <= LARGEST)
        long = pc.fill_null(pc.match_substring_regex(plain, WHOLE), False).to_numpy(zero_copy_only=False)
        for i in np.flatnonzero(long & ~refused & (np.abs(values) >= LARGEST_WHOLE)):
            refused[i] = abs(int(safe[int(i)].as_py().partition(".")[0])) > LARGEST_WHOLE
        null = plain.is_null().to_numpy(zero_copy_only=False)
        return Parsed(pa.array(values, mask=null | refused), refused)

    def _plain(self, text: pa.StringArray, config: NumberColumn) -> pa.StringArray:
        """The text as programs write numbers: 1.234.567,8 becomes 1234567.8."""
        if config.thousands == " ":
            text = pc.replace_substring_regex(text, "[\u00a0\u202f]", " ")  # the blanks that keep a number on its line
        if config.thousands:
            sep, decimal = (f"\\{sign}" for sign in (config.thousands, config.decimal))
            grouped = pc.match_substring_regex(text, rf"^[+-]?[0-9]{{1,3}}({sep}[0-9]{{3}})+({decimal}[0-9]*)?$")
            text = pc.if_else(grouped, pc.replace_substring(text, config.thousands, ""), text)
        if config.decimal == ",":
            # a point is then no decimal sign any more, so a number with one must not pass
            pointed = pc.match_substring(text, ".")
            text = pc.if_else(pointed, text, pc.replace_substring(text, ",", "."))
            text = pc.if_else(pointed, pc.binary_join_element_wise(text, "", "?"), text)
        return text

    def convert(self, values: pa.Array, config: NumberColumn) -> Parsed | None:
        kind = values.type
        if pa.types.is_floating(kind):
            plain = values.cast(pa.float64())
            if not plain.null_count:
                numbers = plain.to_numpy()
                # most columns are finite; NaN is not within the bounds
                if not len(numbers) or (numbers.max() <= LARGEST and numbers.min() >= -LARGEST):
                    return none_refused(plain)
            # a data frame writes NaN for a value that is missing
            plain = pc.if_else(pc.is_nan(plain), pa.scalar(None, pa.float64()), plain)
            return refused_where(
                plain, pc.fill_null(pc.greater(pc.abs(plain), LARGEST), False).to_numpy(zero_copy_only=False)
            )
        if pa.types.is_integer(kind):
            try:
                return none_refused(values.cast(pa.float64()))  # Arrow refuses what float64 cannot hold
            except pa.ArrowInvalid:
                whole = pc.fill_null(values, 0).to_numpy(zero_copy_only=False)
                refused = (whole > LARGEST_WHOLE) | (whole < -LARGEST_WHOLE)
                return refused_where(values.cast(pa.float64(), safe=False), refused)
        if pa.types.is_decimal(kind):
            return self.parse(values.cast(pa.string()), NumberColumn("number"))
        return None

    def marked(self, values: pa.Array, missing: pa.StringArray, config: NumberColumn) -> pa.BooleanArray:
        """As numbers are written in this column. What no value may be, such as inf, is taken as it stands."""
        read = self.parse(missing, config).values.to_pylist()
        texts = missing.to_pylist()
        return are_numbers(values, [text if n is None else repr(n) for text, n in zip(texts, read, strict=True)])

    def digest(self, values: pa.Array) -> NDArray[np.uint64]:
        # where nothing is missing, there is nothing to copy
        numbers = (pc.fill_null(values, 0.0) if values.null_count else values).to_numpy()
        # The two zeros are one number and must have one digest: -0.0 + 0.0 is 0.0.
        return mixed((numbers + 0.0).view(np.uint64))

    def advice(self, found: str, config: NumberColumn) -> str:
        if doubt := doubtful(found):
            return doubt
        text = found.strip()
        if text.lower().lstrip("+-") in ("inf", "infinity"):
            return "Infinity is no number to learn from."
        if text.lstrip("+-").isdigit():
            return "Whole numbers beyond 2^53 cannot be told apart as numbers; set type: category for an id."
        if re.fullmatch(PLAIN, text) and config.decimal == ".":
            return f"Numbers may be as large as {LARGEST:g}."
        if text.replace(",", "").replace(".", "").lstrip("+-").isdigit() and ("," in text or "." in text):
            return "Set thousands or decimal for numbers that are written like this."
        return ""
