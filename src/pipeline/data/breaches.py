"""The rules of a contract, and the values that break them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.data.digests import Digests
from pipeline.data.origins import OF_FILE, OF_ROW
from pipeline.data.reading import MOST_PLACES, place_of, value_of
from pipeline.data.refused_file import and_more, as_texts, tell_refused
from pipeline.data.types.type import shown


@dataclass(frozen=True)
class Rule:
    """`broken(values, limit)` says of each value (N,) whether it breaks the rule; `fits` says whether values of a
    storage can be asked that; `told` is what is wrong, in words, and `expected` what is right, with `{}` for the limit.
    """

    fits: Callable[[pa.DataType], bool]
    broken: Callable[[pa.Array, Any], pa.BooleanArray]
    told: str
    expected: str


RULES = {
    "min": Rule(pa.types.is_floating, pc.less, "less than {}", "{} or more"),
    "max": Rule(pa.types.is_floating, pc.greater, "greater than {}", "{} or less"),
    "values": Rule(
        pa.types.is_string,
        lambda values, known: pc.invert(pc.is_in(values, pa.array(known))),
        "none of {}",
        "one of {}",
    ),
    "pattern": Rule(
        pa.types.is_string,
        lambda values, pattern: pc.invert(pc.match_substring_regex(values, pattern)),
        "not as the pattern {}",
        "a text as the pattern {}",
    ),
    "max_length": Rule(
        pa.types.is_string,
        lambda values, most: pc.greater(pc.utf8_length(values), most),
        "longer than {} characters",
        "{} characters at most",
    ),
}


@dataclass
class Breach:
    """Values of a column that break a rule: `is_broken(values)` says which of some (N,) do, `told` what is wrong with
    them, and `expected` what is right. If the share counts, they are so many `of` all. `count` and `places` are how
    many were found, and the first of them."""

    column: str
    is_broken: Callable[[pa.Array], NDArray[np.bool_]]
    told: str
    expected: str
    of: int | None = None
    count: int = 0
    places: list[tuple[str, str, object]] = field(default_factory=list)  # row, file and value

    def look_at(self, batch: pa.RecordBatch) -> None:
        """Count the values of some rows that break the rule, and tell them (data/refused_file.py)."""
        needed = batch.select([self.column, OF_FILE, OF_ROW])
        found = needed.filter(pa.array(self.is_broken(batch[self.column])))
        rows, files, values = (as_texts(found[name]) for name in (OF_ROW, OF_FILE, self.column))
        tell_refused(
            (row, file, self.column, value, self.expected) for row, file, value in zip(rows, files, values, strict=True)
        )
        for i in range(min(found.num_rows, MOST_PLACES - len(self.places))):
            self.places.append((rows[i], files[i], value_of(found[self.column][i])))
        self.count += found.num_rows

    def words(self, several: bool) -> str:
        """What breaks the rule. With `several` files, a place names its file."""
        values = f"{self.count} values are" if self.of is None else f"{self.count} of {self.of} values are"
        if self.count == 1 and self.of is None:
            values = "1 value is"
        places = [
            (f"row {place_of(row, file if several else '')}" if row else file)
            + ("" if value is None else f": {shown(value)}")
            for row, file, value in self.places
        ]
        more = and_more(self.count, len(places))
        return f"column '{self.column}': {values} {self.told} ({'; '.join(places)}{more})."


def words_of(rule: str, limit: Any) -> tuple[str, str]:
    """What is wrong with a value that breaks a rule, and what is right."""
    if isinstance(limit, float):
        limit = repr(limit).removesuffix(".0")  # all digits, unlike the format g
    elif isinstance(limit, list):
        limit = ", ".join(limit)
    return RULES[rule].told.format(limit), RULES[rule].expected.format(limit)


def breaks(rule: str, limit: Any, values: pa.Array) -> NDArray[np.bool_]:
    """Which values (N,) break a rule; missing ones do not."""
    broken: NDArray[np.bool_] = RULES[rule].broken(values, limit).fill_null(False).to_numpy(zero_copy_only=False)
    return broken & ~is_missing(values)


def is_among(digest: Callable[[pa.Array], Digests], repeated: Digests, values: pa.Array) -> NDArray[np.bool_]:
    """Which values (N,) have one of these digests, which are in ascending order; missing ones do not."""
    found = digest(values)
    # np.isin would sort all that are repeated, for each batch.
    places = np.searchsorted(repeated, found).clip(max=len(repeated) - 1)
    among: NDArray[np.bool_] = repeated[places] == found
    return among & ~is_missing(values)


def is_missing(values: pa.Array) -> NDArray[np.bool_]:
    """Which values (N,) are missing."""
    missing: NDArray[np.bool_] = values.is_null().to_numpy(zero_copy_only=False)
    return missing
