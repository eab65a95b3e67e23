"""How the numbers of a column are written, and which of its texts are none."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.data.types import TYPES
from pipeline.data.types.number import NumberColumn

WAYS = tuple(
    NumberColumn("number", decimal=decimal, thousands=thousands)
    for decimal, thousands in ((".", ""), (".", ","), (",", ""), (",", "."), (".", "'"), (".", " "), (",", " "))
)
SAMPLED = 2000
MOST_STRAYS, STRAY_SHARE = 5, 0.1  # texts, and rows of them
LEADING_ZEROS = "^[+-]?0[0-9]+$"
EITHER = "^[+-]?[1-9][0-9]{0,2},[0-9]{3}$"  # 1,234 may be a thousand, or a bit more than one


@dataclass(frozen=True)
class Numbers:
    """The column that reads the texts as numbers, and the texts that are none."""

    column: NumberColumn
    strays: list[str]


def numbers_of(texts: pa.StringArray, counts: NDArray[np.int64]) -> Numbers | None:
    """How texts (N,), each in `counts` (N,) rows, are read as numbers; None if they are none, or if a number has
    leading zeros, as codes have."""
    if pc.any(pc.match_substring_regex(texts, LEADING_ZEROS)).as_py():
        return None
    step = max(1, len(texts) // SAMPLED)
    column = _best(texts[::step], counts[::step])
    strays = TYPES["number"].parse(texts, column).refused
    if strays.any() and not strays.all():
        column = _best(texts, counts)
        strays = TYPES["number"].parse(texts, column).refused
    if strays.sum() > MOST_STRAYS or counts[strays].sum() > STRAY_SHARE * counts.sum() or strays.all():
        return None
    return Numbers(column, sorted(texts.filter(pa.array(strays)).to_pylist()))


def _best(texts: pa.StringArray, counts: NDArray[np.int64]) -> NumberColumn:
    """The way that reads the most rows; the first of equal ones."""
    return min(WAYS, key=lambda way: int(counts[TYPES["number"].parse(texts, way).refused].sum()))


def doubtful_thousands(texts: pa.StringArray, column: NumberColumn) -> str:
    """A number that may have thousands or decimals, if each number with a comma is like it; else nothing."""
    if column.thousands != ",":
        return ""
    with_comma = texts.filter(pc.match_substring(texts, ","))
    either = pc.match_substring_regex(pc.utf8_trim_whitespace(with_comma), EITHER)
    return str(with_comma[0].as_py()) if len(with_comma) and pc.all(either).as_py() else ""


def has_leading_zeros(texts: pa.StringArray) -> bool:
    """Whether all texts are digits, and some begin with a zero that counts for nothing."""
    digits = pc.all(pc.match_substring_regex(texts, "^[0-9]+$")).as_py()
    return bool(digits and pc.any(pc.match_substring_regex(texts, LEADING_ZEROS)).as_py())
