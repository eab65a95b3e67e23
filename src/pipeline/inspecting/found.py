"""What is known of a column once its values were seen."""

import datetime
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.data.remarks import LEAST_ROWS
from pipeline.data.types.type import shown

ID_NAMES = ("id", "index", "idx", "rowid", "row_id", "unnamed: 0", "uuid", "guid")
AN_ID = "unique in each row: an id?"
ONE_VALUE = "one value only"
CODES = "whole numbers: codes of categories?"
FEW_CODES = 10


@dataclass
class Found:
    """`type` is None where no type takes the values; `options` are those of the type that are not its defaults, and
    `absent` the texts that stand for a missing value. `missing` counts values, and `distinct` those that are not
    missing; `whole` says whether all of them are whole numbers. `doubts` are the remarks that a person should see in
    the YAML, too. `why` says why the column should be left out of a model; nothing where it should not."""

    name: str
    type: str | None = None
    options: dict[str, object] = field(default_factory=dict)
    absent: list[str] = field(default_factory=list)
    missing: int = 0
    distinct: int = 0
    whole: bool = False
    shown: str = ""
    remarks: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    why: str = ""

    def leave_out(self, why: str) -> None:
        self.remarks.append(why)
        self.why = self.why or why

    def doubt(self, what: str) -> None:
        self.remarks.append(what)
        self.doubts.append(what)

    def look_at_numbers(self, numbers: NDArray[np.float64], rows: int) -> None:
        """Take note of what distinct numbers, in the order in which they come in so many rows, tell."""
        self.whole = bool((numbers == np.round(numbers)).all())
        self.shown = f"{short(numbers.min())} to {short(numbers.max())}"
        if self.whole and self._like_an_id(rows):
            self.leave_out(AN_ID)
        elif self.whole and 3 <= self.distinct <= FEW_CODES and rows >= LEAST_ROWS:
            self.remarks.append(f"{self.distinct} {CODES}")

    def look_at_names(self, words: float, rows: int) -> None:
        """Take note of what texts of so many words on average tell."""
        if words < 2 and self._like_an_id(rows):
            self.leave_out(AN_ID)

    def look_at_all(self) -> None:
        if not self.distinct:
            self.leave_out("no value in any row")
        elif self.distinct == 1 and not self.missing:
            self.leave_out(ONE_VALUE)
        elif self.distinct == 1:
            self.remarks.append("one value beside the missing ones")

    def _like_an_id(self, rows: int) -> bool:
        named = self.name.lower() in ID_NAMES or self.name.lower().endswith(("_id", " id"))
        return not self.missing and self.distinct == rows and rows >= (2 if named else LEAST_ROWS)


def short(value: Any) -> str:
    """A number or a moment in few signs. A moment that Python has no value for is a text already."""
    if isinstance(value, str):
        return value
    if isinstance(value, datetime.datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, datetime.date):
        return value.isoformat()
    return format(float(value), ".10g")


def plain(text: str) -> str:
    """A text as it is, if a person can see it, else in quotes."""
    return text if text.isprintable() and text.strip() == text != "" and len(text) <= 40 else shown(text)


def several(count: int, noun: str) -> str:
    """`1 row`, `2 rows`."""
    return f"{count:,} {noun}" + "s" * (count != 1)
